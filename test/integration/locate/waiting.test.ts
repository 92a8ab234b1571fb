import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { locateCredentials } from "../../../src/locate/locate.ts";
import { nodePorts } from "../../../src/node-ports.ts";
import { credentialsFile } from "../../unit/credentials/a-credentials-file.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sync-creds-wait-"));
  mkdirSync(join(home, ".claude", ".oauth_refresh.lock"), { recursive: true });
  writeFileSync(join(home, ".claude", ".credentials.json"), credentialsFile(Date.now()));
});
afterEach(() => rmSync(home, { recursive: true }));

/** The lock counts as fresh for a minute, which is longer than the test may take. */
function locate(waiting: Parameters<typeof locateCredentials>[1]) {
  return locateCredentials(nodePorts({ home, env: {}, platform: "linux" }), waiting);
}

test("a Ctrl-C ends the wait for a renewal that the user was told of", async () => {
  const interrupt = new AbortController();
  await expect(
    locate({ signal: interrupt.signal, tell: () => interrupt.abort() }),
  ).rejects.toMatchObject({ code: "INTERRUPTED", exitStatus: 130 });
});

test("the wait ends when the lock is no longer held", async () => {
  const lock = join(home, ".claude", ".oauth_refresh.lock");
  const { credentials } = await locate({ tell: () => utimesSync(lock, 0, 0) });
  expect(credentials.kind).toBe("login");
});
