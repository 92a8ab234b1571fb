import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openWorld } from "../support/claude-world.ts";
import type { Files } from "../support/claude-world.ts";

const WRAPPER = join(import.meta.dirname, "../support/wrapper.mjs");
const BAD_KEY = "Invalid API key · Fix external API key";
const LOGIN: Files = {
  "home/.claude/.credentials.json": JSON.stringify({
    claudeAiOauth: { accessToken: "sk-ant-oat01-CANARYgood", scopes: ["user:inference"] },
  }),
};

/** Starts the wrapper in that world, and resolves with a question to it. */
async function startWrapper(
  folder: string,
  env: Readonly<Record<string, string>>,
  claude = "claude.mjs",
) {
  const child = spawn(process.execPath, [WRAPPER, "--claude", claude], {
    cwd: join(folder, "cwd"),
    env: {
      HOME: join(folder, "home"),
      PATH: process.env["PATH"],
      STANDIN_MANAGED_SETTINGS: join(folder, "managed.json"),
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, "exit");
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = /:(\d+)/.exec(line.toString())?.[1];
  return async (message: string) => {
    const reply = await fetch(`http://127.0.0.1:${port}/chat`, {
      method: "POST",
      body: JSON.stringify({ message }),
    });
    return ((await reply.json()) as { response: string }).response;
  };
}

describe("the test wrapper that starts claude for each question", () => {
  test("answers through the login on its disk, as that is now", async () => {
    const { folder, path } = openWorld(LOGIN);
    const ask = await startWrapper(folder, {});
    expect(await ask("say pong")).toBe("pong");
    expect(await ask("two lines,\nthe second is last")).toBe("last");
    rmSync(path("home/.claude/.credentials.json"));
    expect(await ask("say pong")).toBe("Not logged in · Please run /login");
  });

  test("starts any other program in its own environment and folder, with the question on its stdin", async () => {
    const { folder, path } = openWorld(LOGIN);
    const program = '#!/bin/sh\nread -r question\necho "$question $SAID ${PWD##*/}"\n';
    writeFileSync(path("home/claude"), program, { mode: 0o755 });
    const ask = await startWrapper(folder, { SAID: "CANARY" }, path("home/claude"));
    expect(await ask("say pong")).toBe("say pong CANARY cwd");
  });

  test("is broken by a key in its own environment until it is started without", async () => {
    const { folder } = openWorld(LOGIN);
    expect(
      await (
        await startWrapper(folder, { ANTHROPIC_API_KEY: "sk-ant-api03-CANARY" })
      )("pong"),
    ).toBe(BAD_KEY);
    expect(await (await startWrapper(folder, {}))("pong")).toBe("pong");
  });

  test.each([
    "home/.claude/settings.json",
    "cwd/.claude/settings.json",
    "cwd/.claude/settings.local.json",
    "managed.json",
  ])("is broken by a key in %s, and mended at once when that is gone", async (place) => {
    const text = JSON.stringify({ env: { ANTHROPIC_API_KEY: "sk-ant-api03-CANARY" } });
    const { folder, path } = openWorld({ ...LOGIN, [place]: text });
    const ask = await startWrapper(folder, {});
    expect(await ask("say pong")).toBe(BAD_KEY);
    writeFileSync(path(place), "{}");
    expect(await ask("say pong")).toBe("pong");
  });
});
