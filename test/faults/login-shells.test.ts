import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findProgram } from "../support/programs.ts";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { canChooseShell } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const OLD = renderHostLogin(tokens.other);
const SHELLS = ["bash", "dash", "fish", "tcsh", "zsh"].flatMap((name) => findProgram(name) ?? []);

describe.skipIf(!canChooseShell)("an account whose login shell is", () => {
  test.each(SHELLS)("%s gets the new login, proven", async (shell) => {
    await using stage = await openStage({ sshd: { shell }, hostFile: OLD, running: true });
    await expectNewProven(stage, await stage.run(...PUSH));
  });

  test.skipIf(findProgram("busybox") === undefined)("busybox's gets it too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sync-creds-shell-"));
    try {
      chmodSync(folder, 0o755);
      const shell = join(folder, "ash");
      symlinkSync(findProgram("busybox") ?? "", shell);
      await using stage = await openStage({ sshd: { shell }, hostFile: OLD });
      await expectNewProven(stage, await stage.run(...PUSH));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ["no shell at all", "/usr/sbin/nologin", "This account is currently not available"],
    ["`false`", "/bin/false", "and said nothing"],
  ])("%s says so, and nothing secret has been sent", async (_, shell, said) => {
    await using stage = await openStage({ sshd: { shell }, hostFile: OLD });
    const { result, code, stdout, stderr } = await stage.run(...PUSH);
    expect(code).toBe(10);
    expect(result).toMatchObject({ outcome: "failed", code: "REMOTE_SHELL" });
    expect(result.state).toContain("nothing was changed");
    expect(result.next.join()).toContain("may have no shell");
    expect(stdout + stderr).not.toContain(tokens.good);
    expect(result.why).toContain(said);
    await expectOldWhole(stage.hostFile, OLD);
  });

  test.each([
    ["`cat`", "exec cat"],
    ["a menu that reads nothing and waits for nobody", 'echo "1) reports  2) quit"'],
  ])("replaced by a forced command, %s, never sees a token", async (_, program) => {
    const config = [`ForceCommand tee -a "$HOME/seen" | sh -c '${program}'`];
    await using stage = await openStage({ sshd: { shell: "/bin/sh", config }, hostFile: OLD });
    stage.configure({ deadlineMs: 3000 });
    const { result } = await stage.run(...PUSH);
    expect(result.outcome).toBe("failed");
    expect(result.state).toContain("nothing was changed");
    await expectOldWhole(stage.hostFile, OLD);
  });
});

/** What a start-up file may print before and after our own lines. */
const NOISE: readonly (readonly [string, (stage: Stage) => Buffer | string])[] = [
  ["a greeting", () => "Welcome to web-1!\nYou have new mail.\n"],
  [
    "bytes that are no text",
    () => Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256)),
  ],
  ["a megabyte", () => "x".repeat(79).concat("\n").repeat(13_000)],
  ["answers of another run", () => `${"0".repeat(32)} fail=busy\n${"0".repeat(32)} end=probe\n`],
  ["a line without an end", () => "loading…"],
];

describe.skipIf(!canChooseShell)("a .bashrc that prints", () => {
  test.each(NOISE)("%s does not disturb the conversation", async (_, render) => {
    await using stage = await openStage({ sshd: { shell: "/bin/bash" }, hostFile: OLD });
    writeFileSync(join(stage.sshd.home, "noise"), render(stage));
    appendFileSync(join(stage.sshd.home, ".bashrc"), 'cat "$HOME/noise"; cat "$HOME/noise" >&2\n');
    await expectNewProven(stage, await stage.run(...PUSH));
  });
});
