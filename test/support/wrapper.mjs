// A wrapper like those in the field: an HTTP service that answers through a login on its disk.
//
//   node wrapper.mjs [--port 0] [--port-file FILE] [--state FILE] [--credentials FILE]
//                    [--read request|start] [--startup-ms 0] [--exit-after-ms N] [--bearer WORD]
//                    [--answer-ms 0] [--separator ·] [--bearer-file FILE] [--claude FILE] [--token-server URL]
//
// Every option may also come from the environment: WRAPPER_PORT, WRAPPER_PORT_FILE, … (argv wins).
// `--port-file` receives the port, `--state` receives {"pid":…,"port":…,"startedAt":…}; both appear at
// once and whole, when the wrapper listens. GOOD API keys start with sk-ant-api03-GOOD; access tokens
// that contain BAD, EXPIRED or LIMIT fail as their names say; every other token works, one that
// contains SLOW after four seconds. With `--claude` the wrapper itself knows nothing of logins: it starts that program
// (found beside this file) for each question, as the runbook's wrapper does, with its own environment and in its own
// folder, and answers with what that prints. Of claude.mjs it asks the same without a process of its own, which would be
// a third of what a push costs here; `--token-server` tells claude.mjs whom to ask.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

const NOT_LOGGED_IN = "Not logged in · Please run /login";

const configDir = process.env.CLAUDE_CONFIG_DIR || join(process.env.HOME || homedir(), ".claude");
const credentialsPath = option("credentials", join(configDir, ".credentials.json"));
const bearerFile = option("bearer-file", "");
const bearer = bearerFile === "" ? option("bearer", "") : readFileSync(bearerFile, "utf8").trim();
const startedAt = Date.now();
const claude = option("claude", "");
const atStart = claude === "" && option("read", "request") === "start" ? findFailure() : undefined;

setTimeout(listen, Number(option("startup-ms", "0")));

function listen() {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const reply = async () => {
        const { status, json } = await route(request, Buffer.concat(chunks).toString("utf8"));
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(json));
      };
      const thinkingMs = request.method === "POST" ? thinkingTime() : 0;
      if (thinkingMs > 0) setTimeout(() => void reply(), thinkingMs);
      else void reply();
    });
  });
  server.listen(Number(option("port", "0")), "127.0.0.1", () => {
    const { port } = server.address();
    save(option("port-file", ""), `${port}\n`);
    save(option("state", ""), JSON.stringify({ pid: process.pid, port, startedAt }));
    const lifeMs = option("exit-after-ms", "");
    if (lifeMs !== "") setTimeout(() => process.exit(1), Number(lifeMs));
    console.log(`listening on 127.0.0.1:${port}`);
  });
}

async function route({ method, url, headers }, text) {
  if (method === "GET" && url === "/health") {
    return { status: 200, json: { status: "healthy", pid: process.pid, startedAt } };
  }
  const respond = { "/chat": chat, "/v1/chat/completions": openai, "/v1/messages": anthropic }[url];
  if (method !== "POST" || !respond) return { status: 404, json: { detail: "Not Found" } };
  if (bearer !== "" && headers.authorization !== `Bearer ${bearer}`) {
    return url === "/chat"
      ? { status: 401, json: { detail: "Invalid authentication credentials" } }
      : {
          status: 401,
          json: { error: { message: "Invalid API key", type: "api_error", code: "401" } },
        };
  }
  try {
    return { status: 200, json: await respond(JSON.parse(text)) };
  } catch {
    return { status: 422, json: { detail: [{ msg: "unreadable request" }] } };
  }
}

async function chat({ message, model = "sonnet" }) {
  // The trap of the runbook's wrapper: failures are a success too.
  return { response: await answer(message), session_id: null, model, status: "success" };
}

async function openai({ messages, model }) {
  const message = { role: "assistant", content: await answer(messages.at(-1).content) };
  return {
    object: "chat.completion",
    model,
    choices: [{ index: 0, message, finish_reason: "stop" }],
  };
}

async function anthropic({ messages, model }) {
  const text = await answer(messages.at(-1).content);
  return { type: "message", role: "assistant", model, content: [{ type: "text", text }] };
}

function thinkingTime() {
  if (claude !== "") return Number(option("answer-ms", "0"));
  const token = readJson(credentialsPath)?.claudeAiOauth?.accessToken ?? "";
  return token.includes("SLOW") ? 4000 : Number(option("answer-ms", "0"));
}

/** What the client prints, or would print: its failure, or the last word of the prompt, as a model would. */
async function answer(prompt) {
  if (claude !== "") return (await askClaude(prompt)).replaceAll("·", option("separator", "·"));
  const word = /(\S+)\s*$/.exec(prompt)[1];
  const failure = atStart ?? findFailure();
  return failure === "" ? word : failure.replaceAll("·", option("separator", "·"));
}

/** `echo PROMPT | claude --allowedTools WebSearch`: the exit status does not matter to this wrapper, as in the field. */
async function askClaude(prompt) {
  const words = ["--allowedTools", "WebSearch"];
  const path = resolve(import.meta.dirname, claude);
  if (claude !== "claude.mjs") return startClaude(path, words, prompt);
  const tokenServer = option("token-server", "");
  if (tokenServer !== "") process.env.STANDIN_TOKEN_SERVER = tokenServer;
  const { ask } = await import(path);
  const { result } = await ask(words, () => `${prompt}\n`);
  return result.trim();
}

function startClaude(program, words, prompt) {
  return new Promise((settle, fail) => {
    const child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
    const printed = [];
    child.stdout.on("data", (chunk) => printed.push(chunk));
    child.on("error", fail);
    child.on("close", () => settle(Buffer.concat(printed).toString("utf8").trim()));
    // It may end before it has read the question.
    child.stdin.on("error", () => undefined);
    child.stdin.end(`${prompt}\n`);
  });
}

/** Why the client cannot answer, in its own words; empty when it can. */
function findFailure() {
  const settings = readJson(join(dirname(credentialsPath), "settings.json")) ?? {};
  const variables = { ...process.env, ...settings.env };
  const key =
    variables.ANTHROPIC_API_KEY ||
    (settings.apiKeyHelper &&
      execFileSync("sh", ["-c", settings.apiKeyHelper], { encoding: "utf8" }));
  if (key) {
    return key.startsWith("sk-ant-api03-GOOD") ? "" : "Invalid API key · Fix external API key";
  }
  return failureOfToken(variables.CLAUDE_CODE_OAUTH_TOKEN) ?? failureOfFile();
}

function failureOfFile() {
  const login = readJson(credentialsPath)?.claudeAiOauth;
  if (typeof login !== "object" || login === null) return NOT_LOGGED_IN;
  if (login.accessToken === "") {
    return "Failed to authenticate: OAuth session expired and could not be refreshed";
  }
  const mayInfer = Array.isArray(login.scopes) && login.scopes.includes("user:inference");
  return mayInfer ? (failureOfToken(login.accessToken) ?? NOT_LOGGED_IN) : NOT_LOGGED_IN;
}

function failureOfToken(token) {
  if (typeof token !== "string" || token === "") return undefined;
  if (token.includes("BAD")) {
    return `Failed to authenticate. API Error: 401 ${apiError("OAuth token revoked")}`;
  }
  if (token.includes("EXPIRED")) {
    return `Failed to authenticate. API Error: 401 ${apiError("OAuth token has expired. Please obtain a new token or refresh your existing token.")}`;
  }
  if (token.includes("LIMIT")) return "You've hit your session limit · resets 3:45pm";
  return "";
}

function apiError(message) {
  return JSON.stringify({ type: "error", error: { type: "authentication_error", message } });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function save(path, text) {
  if (path === "") return;
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  const variable = `WRAPPER_${name.toUpperCase().replaceAll("-", "_")}`;
  return (at < 0 ? process.env[variable] : process.argv[at + 1]) ?? fallback;
}
