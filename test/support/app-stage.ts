import { spawn } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./sshd.ts";
import type { Stage } from "./stage.ts";
import { until } from "./until.ts";

/** Two providers with a comment that must stay, and the line that a switch edits. */
export const CONFIG = `# è tuo\r\nWRITER = {\r\n    "provider": "claude",\r\n}\r\n`;
/** The same while the switch is on. */
export const SWITCHED = CONFIG.replace("claude", "perplexity");

/** An app that runs beside the wrapper, and the switch that points it at another provider. */
export interface App {
  readonly configFile: string;
  /** The entry of `switches`. */
  readonly fallback: Record<string, unknown>;
  config(): string;
  /** Asks the app a question; its reply text, or undefined when it is down. */
  ask(message: string): Promise<string | undefined>;
  /** Its provider and pid; undefined when it is down. */
  health(): Promise<{ provider: string; pid: number } | undefined>;
}

/** Starts the app on the host of a stage, on CONFIG, and writes its switch `fallback` into hosts.json. */
export async function openApp(stage: Stage, more: readonly string[] = []): Promise<App> {
  const directory = join(stage.sshd.home, "app");
  const configFile = join(directory, "config.py");
  mkdirSync(directory);
  writeFileSync(configFile, CONFIG, { mode: 0o644 });
  for (const path of [directory, configFile]) chownSync(path, stage.sshd.uid, stage.sshd.gid);
  const port = await freePort();
  const command = [
    "exec",
    process.execPath,
    join(stage.directory, "app.mjs"),
    `--port ${port} --config ${configFile} --wrapper http://127.0.0.1:${stage.wrapperPort}`,
    ...more,
  ].join(" ");
  const fallback = {
    file: "~/app/config.py",
    find: '"provider": "claude"',
    put: '"provider": "perplexity"',
    restart: { kind: "process", directory: "~/app", command },
    wrapper: { url: `http://127.0.0.1:${port}`, chat: { preset: "chat" }, timeoutMs: 20_000 },
  };
  stage.configure({ switches: { fallback } });
  const app: App = {
    configFile,
    fallback,
    config: () => readFileSync(configFile, "utf8"),
    async ask(message) {
      const body = JSON.stringify({ message });
      const headers = { "content-type": "application/json" };
      const reply = await fetch(`http://127.0.0.1:${port}/chat`, {
        method: "POST",
        body,
        headers,
      }).catch(() => undefined);
      return ((await reply?.json()) as { response?: string } | undefined)?.response;
    },
    async health() {
      const reply = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
      return (await reply?.json()) as { provider: string; pid: number } | undefined;
    },
  };
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: directory,
    detached: true,
    uid: stage.sshd.uid,
    gid: stage.sshd.gid,
    env: { HOME: stage.sshd.home, PATH: process.env["PATH"] },
    stdio: "ignore",
  });
  child.unref();
  await until("the app is up", async () => (await app.health()) !== undefined);
  return app;
}
