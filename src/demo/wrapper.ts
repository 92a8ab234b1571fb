// The demo's wrapper, a process of its own: `node wrapper.js PORT`.
//
// Like the ones in the field it reads the login once, when it starts, and reports every failure of its Claude with
// status 200. It ends by itself when its home is gone or after ten minutes, so that no demo leaves it behind.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const LONGEST_LIFE_MS = 600_000;
const LOOK_EVERY_MS = 500;

const home = homedir();
const login = readLogin(process.env["CLAUDE_CONFIG_DIR"] ?? join(home, ".claude"));

setTimeout(() => process.exit(0), LONGEST_LIFE_MS);
setInterval(() => existsSync(home) || process.exit(0), LOOK_EVERY_MS);

createServer((request, response) => {
  const reply = (status: number, json: object) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  };
  const route = `${request.method} ${request.url}`;
  if (route === "GET /health") return reply(200, { status: "healthy" });
  if (route !== "POST /chat") return reply(404, { detail: "Not Found" });
  text(request)
    .then((body) => reply(200, { response: answer(messageIn(body)), status: "success" }))
    .catch(() => reply(422, { detail: "unreadable request" }));
}).listen(Number(process.argv[2]), "127.0.0.1");

/** What Claude Code would print: its failure, or the word that it was asked to repeat. */
function answer(message: string): string {
  if (login === "") return "Not logged in · Please run /login";
  if (login.includes("BAD")) return "OAuth token revoked · Please run /login";
  return message.trim().split(/\s+/).at(-1) ?? "";
}

/** The access token; empty when there is none. */
function readLogin(configDir: string): string {
  try {
    const file: unknown = JSON.parse(readFileSync(join(configDir, ".credentials.json"), "utf8"));
    const token = at(at(file, "claudeAiOauth"), "accessToken");
    return typeof token === "string" ? token : "";
  } catch {
    return "";
  }
}

function messageIn(body: string): string {
  const message = at(JSON.parse(body), "message");
  if (typeof message !== "string") throw new Error("no message");
  return message;
}

function at(json: unknown, key: string): unknown {
  return typeof json === "object" && json !== null ? Reflect.get(json, key) : undefined;
}
