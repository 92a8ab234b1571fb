import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { treeOf } from "../support/host-state.ts";
import { expectNewProven, expectNoTraces, expectOldWhole, modeOf } from "../support/promises.ts";
import { canChooseShell, hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const OLD = renderHostLogin(tokens.other);

/** Pushes and expects a refusal that names the place, before anything is changed. */
async function expectRefusal(stage: Stage, saying: RegExp): Promise<void> {
  const folder = dirname(stage.hostFile);
  const before = treeOf(folder);
  const { result, code } = await stage.run(...PUSH);
  expect(result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
  expect(`${result.what} ${result.why}`).toMatch(saying);
  expect(result.state).toContain("nothing was changed");
  expect(result.next).not.toEqual([]);
  expect(code).toBe(10);
  expect(treeOf(folder)).toEqual(before);
  await expectNoTraces(folder);
}

describe.skipIf(!hasSshd)("a credentials file is refused and left as it is when it is", () => {
  test("a symbolic link", async () => {
    await using stage = await openStage({ hostFile: OLD });
    renameSync(stage.hostFile, `${stage.hostFile}.real`);
    symlinkSync(".credentials.json.real", stage.hostFile);
    await expectRefusal(stage, /symbolic link/);
    expect(readlinkSync(stage.hostFile)).toBe(".credentials.json.real");
  });

  test("a link that leads nowhere", async () => {
    await using stage = await openStage({ hostFile: OLD });
    rmSync(stage.hostFile);
    symlinkSync("/nowhere/at/all", stage.hostFile);
    await expectRefusal(stage, /symbolic link/);
  });

  test("a directory", async () => {
    await using stage = await openStage({ hostFile: OLD });
    rmSync(stage.hostFile);
    mkdirSync(stage.hostFile);
    await expectRefusal(stage, /is a directory/);
  });

  test("a FIFO, which is not opened either", async () => {
    await using stage = await openStage({ hostFile: OLD });
    rmSync(stage.hostFile);
    execFileSync("mkfifo", ["-m", "600", stage.hostFile]);
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
    expect(lstatSync(stage.hostFile).isFIFO()).toBe(true);
  });

  test("a file of several names", async () => {
    await using stage = await openStage({ hostFile: OLD });
    linkSync(stage.hostFile, `${stage.hostFile}.other`);
    await expectRefusal(stage, /2 hard links/);
  });

  test.skipIf(!canChooseShell)("another account's", async () => {
    await using stage = await openStage({ hostFile: OLD });
    chownSync(stage.hostFile, 64_999, 64_999);
    await expectRefusal(stage, /another account/);
  });

  test.skipIf(!canChooseShell)("unreadable to its own account", async () => {
    await using stage = await openStage({ hostFile: OLD, sshd: { shell: "/bin/sh" } });
    chmodSync(stage.hostFile, 0);
    await expectRefusal(stage, /cannot be read/);
  });
});

describe.skipIf(!hasSshd)("a configuration directory", () => {
  test("that is missing is made, 0700, and the push is proven", async () => {
    await using stage = await openStage();
    await expectNewProven(stage, await stage.run(...PUSH));
    expect(modeOf(dirname(stage.hostFile))).toBe("700");
  });

  test("that is a link to a directory elsewhere keeps its place", async () => {
    await using stage = await openStage({ hostFile: OLD });
    const real = join(stage.sshd.home, "real");
    renameSync(dirname(stage.hostFile), real);
    symlinkSync("real", dirname(stage.hostFile));
    await expectNewProven(stage, await stage.run(...PUSH));
    expect(lstatSync(dirname(stage.hostFile)).isSymbolicLink()).toBe(true);
  });

  test.each([0o777, 0o770, 0o702])("that others can write (mode %o) is refused", async (mode) => {
    await using stage = await openStage({ hostFile: OLD });
    chmodSync(dirname(stage.hostFile), mode);
    await expectRefusal(stage, /can be written by others/);
  });

  test.skipIf(!canChooseShell)("of another account is refused", async () => {
    await using stage = await openStage({ hostFile: OLD });
    chownSync(dirname(stage.hostFile), 64_999, 64_999);
    await expectRefusal(stage, /another account/);
  });

  test.skipIf(!canChooseShell)("that is read-only stays as it is", async () => {
    await using stage = await openStage({ hostFile: OLD, sshd: { shell: "/bin/sh" } });
    chmodSync(dirname(stage.hostFile), 0o500);
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "failed", code: "INSTALL_FAILED" });
    expect(result.why).toContain("Permission denied");
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("whose place for our journal is taken by a link is not followed", async () => {
    await using stage = await openStage({ hostFile: OLD });
    const elsewhere = join(stage.sshd.home, "elsewhere");
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(dirname(stage.hostFile), ".sync-creds"));
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
    expect(treeOf(elsewhere)).toEqual({});
    expect(readFileSync(stage.hostFile, "utf8")).toBe(OLD);
  });
});

describe.skipIf(!canChooseShell)("a file system that says no", () => {
  test.each([
    ["the file", ".claude/.credentials.json"],
    ["the directory", ".claude"],
  ])("because %s is immutable leaves the old file whole", async (_, path) => {
    await using stage = await openStage({ hostFile: OLD, running: true });
    const immutable = join(stage.sshd.home, path);
    const { status } = spawnSync("chattr", ["+i", immutable]);
    if (status !== 0)
      return console.warn("\n*** SKIPPED: this file system has no immutable files ***\n");
    try {
      const { result } = await stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "failed", code: "INSTALL_FAILED" });
      expect(result.why).toMatch(/not permitted/);
      await expectOldWhole(stage.hostFile, OLD);
      expect(await stage.chat("say pong")).toBe("pong");
    } finally {
      spawnSync("chattr", ["-i", immutable]);
    }
  });
});

test.skipIf(!hasSshd)("a host whose home is missing is refused", async () => {
  await using stage = await openStage();
  renameSync(stage.sshd.home, `${stage.sshd.home}.away`);
  const { result } = await stage.run(...PUSH);
  expect(result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
  expect(result.what).toContain("does not exist");
});

test.skipIf(!hasSshd)(
  "what else a host keeps in its file stays byte for byte: order, spacing, CRLF",
  async () => {
    const before =
      '{\r\n\t"mcpOAuth" : {"a|b": {"accessToken":"mcp-CANARY"  }},\r\n\r\n   "claudeAiOauth":';
    const after = ',\r\n "odd\\u00e9":[ 1,2 , {}],\t"last": "ünï"\r\n}\r\n\r\n';
    const login = JSON.stringify({
      accessToken: tokens.other,
      expiresAt: 1,
      scopes: ["user:inference"],
    });
    await using stage = await openStage({ hostFile: `${before} ${login}${after}`, running: true });
    await expectNewProven(stage, await stage.run(...PUSH));
    const now = readFileSync(stage.hostFile, "utf8");
    expect(now.slice(0, before.length)).toBe(before);
    expect(now.slice(-after.length)).toBe(after);
  },
);

test.skipIf(!hasSshd)("a file that is not 0600 becomes so", async () => {
  await using stage = await openStage({ hostFile: OLD });
  writeFileSync(stage.hostFile, OLD);
  chmodSync(stage.hostFile, 0o644);
  await expectNewProven(stage, await stage.run(...PUSH));
});
