import * as z from "zod/mini";
import type { SecretReference } from "./host.ts";
import { isHostName, isIpv6 } from "./ssh-target.ts";
import {
  label,
  localPath,
  milliseconds,
  name,
  shellLine,
  text,
  urlPath,
  variableName,
} from "./values.ts";

/** Where a secret stands; hosts.json never holds it. */
export const secretReference = z.pipe(
  z
    .strictObject({
      env: z.exactOptional(variableName.check(z.describe("An environment variable"))),
      file: z.exactOptional(localPath.check(z.describe("A file of mode 0600 on this computer"))),
      command: z.exactOptional(shellLine.check(z.describe("A command that prints the secret"))),
      token: z.exactOptional(
        name.check(z.describe("A token that `sync-creds token set` has stored")),
      ),
    })
    .check(
      z.refine((reference) => Object.keys(reference).length === 1, {
        error: "must say exactly one of `env`, `file`, `command` and `token`",
        abort: true,
      }),
      z.meta({
        description: "Where the secret stands; hosts.json never holds it",
        minProperties: 1,
        maxProperties: 1,
      }),
    ),
  // One key is there, the check above says: only the type does not know it.
  z.transform(({ env, file, command, token }): SecretReference => {
    if (env !== undefined) return { env };
    if (file !== undefined) return { file };
    return command === undefined ? { token: token ?? "" } : { command };
  }),
);

const presetChat = z.strictObject({
  preset: z.enum(["chat", "openai", "anthropic"]),
  path: z.exactOptional(urlPath.check(z.describe("Instead of the path the preset implies"))),
  model: z.exactOptional(label),
});

// Headers that would carry a secret, or change where the request ends.
const REFUSED_HEADERS = new Set(
  "authorization proxy-authorization cookie x-api-key connection content-length expect transfer-encoding upgrade".split(
    " ",
  ),
);

const headers = z
  .record(
    text(128, /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "must be the name of an HTTP header"),
    text(1024, /^[\t\x20-\x7e]*$/, "must be one line of printable ASCII"),
  )
  .check(
    z.refine((all) => !Object.keys(all).some((key) => REFUSED_HEADERS.has(key.toLowerCase())), {
      error:
        "must not hold a secret or a header of the connection itself; a bearer is said with `wrapper.bearer`",
    }),
  );

const customChat = z.strictObject({
  preset: z.literal("custom"),
  method: z._default(z.enum(["POST", "PUT", "PATCH"]), "POST"),
  path: urlPath,
  headers: z._default(headers, {}),
  body: z.unknown().check(
    z.refine((body) => JSON.stringify(body)?.includes("{{prompt}}") ?? false, {
      error: "must hold `{{prompt}}` somewhere: that is where the question goes",
    }),
    z.describe("JSON body; every `{{prompt}}` in it is replaced with the question"),
  ),
  replyPath: text(
    256,
    /^[\w-]+(?:\.[\w-]+)*$/,
    "must be keys and indices with dots between, such as `choices.0.message.content`",
  ).check(z.describe("Where the reply text stands, such as `choices.0.message.content`")),
});

/** The HTTP service in front of Claude Code. Every key may come from `defaults` instead. */
export const wrapper = z.strictObject({
  url: z.exactOptional(
    z.string().check(
      z.maxLength(300, { abort: true }),
      z.refine(isWrapperUrl, {
        error:
          "must be `http://HOST:PORT` as seen from the host, without user, query or fragment; SSH carries it, so https is not needed",
      }),
      z.describe("`http://HOST:PORT` as seen from the host; reached through SSH"),
    ),
  ),
  chat: z.exactOptional(
    z
      .discriminatedUnion("preset", [presetChat, customChat])
      .check(
        z.meta({ description: "How to ask the wrapper a question", default: { preset: "chat" } }),
      ),
  ),
  health: z.exactOptional(z.strictObject({ path: urlPath })),
  bearer: z.exactOptional(secretReference),
  timeoutMs: z.exactOptional(milliseconds(1, 60_000, "Longest time for one chat request")),
  baselineTimeoutMs: z.exactOptional(
    milliseconds(1, 10_000, "Longest time for the request before anything is changed"),
  ),
  startTimeoutMs: z.exactOptional(
    milliseconds(1, 30_000, "Longest time from the restart until the wrapper is healthy"),
  ),
});

function isWrapperUrl(url: string): boolean {
  // The URL parser would silently drop line breaks and surrounding blanks.
  if (!/^http:\/\/[\x21-\x7e]+$/.test(url) || !URL.canParse(url)) return false;
  const { hostname, port } = new URL(url);
  const isBare = !/[?#@\\]/.test(url);
  return isBare && port !== "0" && (isHostName(hostname) || isIpv6(hostname.slice(1, -1)));
}
