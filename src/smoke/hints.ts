import { LOG_IN_AND_PUSH, READ_THE_LOG } from "./classes.ts";
import type { Finding } from "./classes.ts";

/** A finer cause inside a class, named only where its cure is another one. */
export type Hint =
  | "api-key-disabled"
  | "api-unreachable"
  | "client-missing"
  | "disabled-key"
  | "disk-full"
  | "empty-reply"
  | "external-token"
  | "forbidden"
  | "helper-failing"
  | "login-over"
  | "model"
  | "no-auth-method"
  | "profile"
  | "refresh-busy"
  | "request-rejected"
  | "root-flag"
  | "scope"
  | "subscription-disabled"
  | "unavailable";

/** How a finer cause changes its class's finding. Hints share their class's decision to roll back: only words, blame and patience differ. */
export const HINTS = {
  "api-key-disabled": {
    meaning: "an API key is in use, and its organization does not allow API keys",
    next: ["Remove `ANTHROPIC_API_KEY` or `apiKeyHelper` on the host so that the login is used"],
  },
  "api-unreachable": {
    meaning: "the host does not reach Claude's API",
    next: [
      "Check that the host may connect to api.anthropic.com, port 443, and its proxy settings",
    ],
  },
  "client-missing": {
    meaning: "the wrapper does not find the `claude` program",
    next: ["Install Claude Code on the host, on the PATH of the wrapper's service"],
  },
  "disabled-key": {
    meaning: "an API key of a disabled organization outranks the credentials file",
    blame: "shadow",
    next: ["Remove `ANTHROPIC_API_KEY` on the host, then push again"],
  },
  "disk-full": {
    meaning: "Claude on the host cannot store its renewed login because the disk is full",
    next: ["Free space on the host, then push again"],
  },
  "empty-reply": {
    meaning: "the wrapper answered with nothing at all",
    next: [
      "Run `claude -p hello` on the host as the wrapper's account: it may want its first start",
    ],
  },
  "external-token": {
    meaning: "a token variable in the wrapper's environment holds characters no header can carry",
    next: [
      "Set `ANTHROPIC_AUTH_TOKEN` or `CLAUDE_CODE_OAUTH_TOKEN` on the host anew, or remove it",
    ],
  },
  forbidden: {
    meaning: "Claude's API does not allow this account, or this host, to ask",
    blame: "upstream",
    next: [
      "Check the account's plan, its role in the organization, and the host's region and proxy",
    ],
  },
  "helper-failing": {
    meaning: "the apiKeyHelper script on the host outranks the credentials file and fails",
    next: ["Repair the script that `apiKeyHelper` in settings.json names, or remove the setting"],
  },
  "login-over": {
    meaning: "the login has ended and cannot be renewed",
    next: [LOG_IN_AND_PUSH],
  },
  model: {
    meaning:
      "the model is unknown or not part of the plan; old clients also say so of a dead login",
    next: ["Check `wrapper.chat.model` in hosts.json", "Update Claude Code on the host"],
  },
  "no-auth-method": {
    meaning: "the process that asks Claude has no credential at all",
    next: ["Check the environment and the home of the wrapper's worker process"],
  },
  profile: {
    meaning:
      "an Anthropic profile on the host outranks the credentials file, and its login is over",
    blame: "shadow",
    next: ["Log the profile in again on the host, or remove it"],
  },
  "refresh-busy": {
    meaning: "another Claude Code process on the host is renewing the login",
    retry: true,
    next: ["Wait a minute, then push again"],
  },
  "request-rejected": {
    meaning: "the wrapper did not understand the request",
    next: ["Check `wrapper.chat` in hosts.json against the wrapper's own documentation"],
  },
  "root-flag": {
    meaning: "the wrapper starts Claude Code as root with a flag that root may not use",
    next: ["Run the wrapper as another user, or let it use `--allowedTools` instead"],
  },
  scope: {
    meaning: "the token lacks a scope that the wrapper uses; a setup token is for inference only",
    next: ["Push a login with all scopes, or turn that feature of the wrapper off"],
  },
  "subscription-disabled": {
    meaning:
      "the organization does not allow Claude Code through a subscription, or the plan lapsed",
    next: [
      "Use an API key on this host, or ask the organization's admin",
      "Update Claude Code there",
    ],
  },
  unavailable: {
    meaning: "the wrapper is not ready, or a proxy in front of it does not reach it",
    retry: true,
    next: [READ_THE_LOG],
  },
} as const satisfies Record<Hint, Partial<Omit<Finding, "rollBack">>>;
