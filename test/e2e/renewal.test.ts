import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { expectOldFile, hostToken } from "../support/host-state.ts";
import { installClaude } from "../support/laptop.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, tokens } from "../support/stage.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";
import { until } from "../support/until.ts";

const old = renderHostLogin(tokens.bad);
const RENEWED = "sk-ant-oat01-CANARYrenewed-access-0001";
const MINUTE_MS = 60_000;
const QUESTION = "Let Claude Code renew the login first?";

describe.skipIf(!hasSshd)("a push of a login that is due", () => {
  test("--refresh auto renews it without asking, and pushes what came of it", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(tokens.good, { expiresAt: Date.now() + 2 * MINUTE_MS });
    installClaude(stage.laptop, "renews");

    const ended = await stage.run(...PUSH, "--refresh", "auto");

    expect(ended.result.outcome).toBe("verified");
    expect(hostToken(stage)).toBe(RENEWED);
    expect(readFileSync(stage.hostFile, "utf8")).not.toContain("refreshToken");
    expect(readFileSync(stage.laptopFile, "utf8")).toContain(RENEWED);
  });

  test.each([
    ["by default in a pipe", []],
    ["with --refresh never", ["--refresh", "never"]],
  ])("%s it is refused, and Claude Code is not started", async (_, options) => {
    await using stage = await openStage({ hostFile: old });
    stage.logIn(tokens.good, { expiresAt: Date.now() - MINUTE_MS });
    const claude = installClaude(stage.laptop, "renews");

    const ended = await stage.run("push", "web-1", ...options);

    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain("CREDENTIALS_EXPIRED");
    expect(ended.stderr).toContain("`sync-creds refresh`, then push again");
    expect(ended.stderr).toContain("--refresh auto");
    expect(claude.calls()).toEqual([]);
    expectOldFile(stage, old);
  });

  test.each([
    ["a dry run", ["plan", "web-1", "--allow-short-ttl"]],
    [
      "a dry run with --refresh auto",
      ["push", "-n", "web-1", "--allow-short-ttl", "--refresh", "auto"],
    ],
  ])("%s does not renew it", async (_, argv) => {
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(tokens.good, { expiresAt: Date.now() + 2 * MINUTE_MS });
    const claude = installClaude(stage.laptop, "renews");

    const ended = await stage.run(...argv);

    expect(ended.code).toBe(0);
    expect(claude.calls()).toEqual([]);
  });

  test("--refresh auto leaves one alone that is not due, or that a full-login hands over", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const claude = installClaude(stage.laptop, "renews");
    expect((await stage.run(...PUSH, "--refresh", "auto")).result.outcome).toBe("verified");

    stage.configure({ delivery: "full-login" });
    stage.logIn(tokens.other, { expiresAt: Date.now() + 2 * MINUTE_MS });
    await stage.run(...PUSH, "--refresh", "auto", "--force");

    expect(claude.calls()).toEqual([]);
  });

  test("a renewal that fails ends the push before any connection", async () => {
    await using stage = await openStage({ hostFile: old });
    stage.logIn(tokens.good, { expiresAt: Date.now() + 2 * MINUTE_MS });
    installClaude(stage.laptop, "unreachable");

    const ended = await stage.run("push", "web-1", "--refresh", "auto");

    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain("REFRESH_FAILED");
    expect(stage.sshd.log()).not.toContain("Connection from");
    expectOldFile(stage, old);
  });

  test("Ctrl-C meanwhile waits for the renewal, and then touches no host", async () => {
    await using stage = await openStage({ hostFile: old });
    stage.logIn(tokens.good, { expiresAt: Date.now() + 2 * MINUTE_MS });
    const claude = installClaude(stage.laptop, "waits");
    const run = stage.start("push", "web-1", "--refresh", "auto");
    await until("Claude Code is renewing", () => claude.isRenewing());

    process.kill(-run.pid, "SIGINT");
    claude.release();
    const ended = await run.ended;

    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain("interrupted before any host was touched");
    expect(readFileSync(stage.laptopFile, "utf8")).toContain(RENEWED);
    expect(claude.calls()[0]?.signals).toEqual([]);
    expect(stage.sshd.log()).not.toContain("Connection from");
  });

  test("--refresh takes auto and never", async () => {
    await using stage = await openStage();
    const ended = await stage.run("push", "web-1", "--refresh", "perhaps");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("Allowed choices are auto, never.");
  });
});

describe.skipIf(!hasSshd || !hasScript)("on a terminal a push of a login that is due", () => {
  test("asks once, and with a yes renews it first", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(tokens.good, { expiresAt: Date.now() + 2 * MINUTE_MS });
    installClaude(stage.laptop, "renews");

    const terminal = openTerminal(stage, ["push", "web-1"]);
    await terminal.shows("the access token ends in 2 min");
    await terminal.shows(QUESTION);
    terminal.type("y\r");

    expect(await terminal.ended).toBe(0);
    expect(hostToken(stage)).toBe(RENEWED);
  });

  test("with --yes is not asked about", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(tokens.good, { expiresAt: Date.now() + 2 * MINUTE_MS });
    installClaude(stage.laptop, "renews");

    const terminal = openTerminal(stage, ["push", "web-1", "--yes"]);

    expect(await terminal.ended).toBe(0);
    expect(terminal.raw()).not.toContain(QUESTION);
    expect(hostToken(stage)).toBe(RENEWED);
  });

  test("with a no it is refused as ever", async () => {
    await using stage = await openStage({ hostFile: old });
    stage.logIn(tokens.good, { expiresAt: Date.now() + 2 * MINUTE_MS });
    const claude = installClaude(stage.laptop, "renews");

    const terminal = openTerminal(stage, ["push", "web-1"]);
    await terminal.shows(QUESTION);
    terminal.type("\r");

    expect(await terminal.ended).toBe(4);
    expect(terminal.raw()).toContain("CREDENTIALS_EXPIRING");
    expect(claude.calls()).toEqual([]);
    expectOldFile(stage, old);
  });
});
