import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { SHARED_CACHE } from "../support/program-cache.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, tokens } from "../support/stage.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));

/** Runs it for a reader who has gone, as `| head -1` soon has; its status, and what it said on stderr. */
async function runUnread(argv: readonly string[], home: string): Promise<[unknown, string]> {
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd: home,
    env: { HOME: home, PATH: process.env["PATH"], ...SHARED_CACHE },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = await once(child, "close");
  return [code, stderr];
}

describe("where nobody reads what is printed", () => {
  test("a command ends as it would, without a word about it", async () => {
    expect(await runUnread(["schema"], "/")).toEqual([0, ""]);
  });

  test.skipIf(!hasSshd)("a push goes on to its end", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other), running: true });
    expect(await runUnread(PUSH, stage.laptop)).toEqual([0, ""]);
    expect(readFileSync(stage.hostFile, "utf8")).toContain(tokens.good);
    expect(await stage.chat("say pong")).toBe("pong");
  });
});
