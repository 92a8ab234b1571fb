import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  backupsOf,
  entryOf,
  expectOldFile,
  expectProven,
  hostToken,
  readHostFile,
} from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, renderLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";

/** A login that the host got by itself: its refresh token is not the laptop's. */
const ownRefresh = "sk-ant-ort01-CANARYrefresh-host-0008";
const ownLogin = renderLogin(tokens.other, { refreshToken: ownRefresh });

describe.skipIf(!hasSshd)("a login that the host got by itself", () => {
  test("is left alone while it works", async () => {
    await using stage = await openStage({ hostFile: ownLogin, running: true });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "conflict", code: "HOST_LOGIN_CONFLICT" });
    expect(ended.result.next.join("\n")).toContain("`sync-creds push web-1 --force`");
    expect(await stage.chat("as before")).toBe("before");
    expectOldFile(stage, ownLogin);
  });

  test("is overwritten with --force, and a backup of it stays on the host", async () => {
    await using stage = await openStage({ hostFile: ownLogin, running: true });

    const ended = await stage.run("push", "web-1", "--force", "--json");

    await expectProven(stage, ended, tokens.good);
    const [backup = "", ...more] = backupsOf(stage);
    expect(more).toEqual([]);
    const copy = join(dirname(stage.hostFile), ".sync-creds", "backups", backup, "1", "backup");
    expect(readFileSync(copy, "utf8")).toBe(ownLogin);
  });

  test("is replaced without --force when it is dead", async () => {
    const dead = renderLogin(tokens.bad, { refreshToken: ownRefresh });
    await using stage = await openStage({ hostFile: dead, running: true });

    const ended = await stage.run("push", "web-1", "--json");

    await expectProven(stage, ended, tokens.good);
    expect(readHostFile(stage)).not.toContain(ownRefresh);
  });

  test("is left alone when it works and holds a newer access token than ours", async () => {
    const newer = JSON.stringify({
      claudeAiOauth: {
        accessToken: tokens.other,
        expiresAt: Date.now() + 30 * 3600_000,
        scopes: ["user:inference"],
      },
    });
    await using stage = await openStage({ hostFile: newer, running: true });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result).toMatchObject({ outcome: "conflict", code: "HOST_LOGIN_CONFLICT" });
    expectOldFile(stage, newer);
  });
});

describe.skipIf(!hasSshd)("a whole login", () => {
  test("is handed over with its refresh token when hosts.json says so", async () => {
    await using stage = await openStage({
      hostFile: renderHostLogin(tokens.bad),
      host: { delivery: "full-login" },
      running: true,
    });

    const ended = await stage.run("push", "web-1", "--json");

    await expectProven(stage, ended, tokens.good);
    expect(readHostFile(stage)).toContain(tokens.refresh);
    expect(readHostFile(stage)).toContain("mcp-CANARY-kept");
    expect(ended.result.next).toEqual([expect.stringContaining("Log in anew on this laptop")]);
  });

  test("that was handed over and renewed by the host is not taken for a stranger's", async () => {
    await using stage = await openStage({
      hostFile: renderHostLogin(tokens.bad),
      host: { delivery: "full-login" },
      running: true,
    });
    await stage.run("push", "web-1");
    // The host's Claude renews the access token and keeps the refresh token, as it mostly does.
    writeFileSync(stage.hostFile, renderLogin(tokens.other), { mode: 0o600 });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result.outcome).not.toBe("conflict");
    expect(hostToken(stage)).toBe(tokens.good);
    await expectProven(stage, ended, tokens.good);
  });

  test("is not handed over to two hosts: that is refused before any connection", async () => {
    const old = renderHostLogin(tokens.bad);
    await using stage = await openStage({ hostFile: old });
    const entry = { ...entryOf(stage), delivery: "full-login" };
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-1": entry, "web-2": entry } }));

    const ended = await stage.run("push", "all", "--yes", "--json");

    expect(ended.code).toBe(10);
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: "TOKEN_SHARED" }, hosts: [] });
    expect(ended.stderr).toContain("web-1 and web-2 would share a single-use refresh token");
    expect(stage.sshd.log()).not.toContain("Connection from");
    expectOldFile(stage, old);
  });

  test("that one host has is not handed over to a second one later", async () => {
    await using stage = await openStage({
      hostFile: renderHostLogin(tokens.bad),
      host: { delivery: "full-login" },
      running: true,
    });
    const first = await stage.run("push", "web-1", "--json");
    await expectProven(stage, first, tokens.good);
    const entry = entryOf(stage);
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-1": entry, "web-2": entry } }));

    const ended = await stage.run("push", "web-2", "--json");

    expect(ended.code).toBe(10);
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: "TOKEN_SHARED" } });
    expect(hostToken(stage)).toBe(tokens.good);
  });
});

describe.skipIf(!hasSshd || !hasScript)("one login for two hosts", () => {
  const SHARE = ["push", "web-2", "--share-refresh-token"] as const;

  /** A login that web-1 was handed, and that web-2, the same machine by another name, shall have too. */
  async function openHolder(): Promise<Stage> {
    const stage = await openStage({
      hostFile: renderHostLogin(tokens.bad),
      host: { delivery: "full-login" },
      running: true,
    });
    await expectProven(stage, await stage.run("push", "web-1", "--json"), tokens.good);
    writeFileSync(stage.hostFile, renderHostLogin(tokens.bad), { mode: 0o600 });
    const entry = entryOf(stage);
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-1": entry, "web-2": entry } }));
    return stage;
  }

  test("is handed over again when a person types that it shall", async () => {
    await using stage = await openHolder();
    const terminal = openTerminal(stage, SHARE);

    await terminal.shows("web-2, web-1 and this laptop will log each other out");
    terminal.type("share\r");

    expect(await terminal.ended).toBe(0);
    await terminal.shows(/web-2 +verified/);
    expect(readHostFile(stage)).toContain(tokens.refresh);
  });

  test("stays with its one holder when anything else is typed", async () => {
    await using stage = await openHolder();
    const before = readHostFile(stage);
    const terminal = openTerminal(stage, SHARE);

    await terminal.shows('Type "share" to go on');
    terminal.type("yes\r");

    expect(await terminal.ended).toBe(130);
    await terminal.shows("not confirmed: nothing was changed");
    expectOldFile(stage, before);
  });

  test("stays with its one holder where nobody can type it, be it with --yes", async () => {
    await using stage = await openHolder();
    const before = readHostFile(stage);

    const ended = await stage.run(...SHARE, "--yes", "--json");

    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: "INPUT_NEEDED" }, hosts: [] });
    expectOldFile(stage, before);
  });

  test("is not asked about where it gets no second holder", async () => {
    await using stage = await openHolder();

    const ended = await stage.run("push", "web-1", "--share-refresh-token", "--json");

    await expectProven(stage, ended, tokens.good);
  });
});

describe.skipIf(!hasSshd)("what the wrapper says of another credential", () => {
  test("does not speak against a login of the host's own, which is left alone", async () => {
    await using stage = await openStage({
      hostFile: ownLogin,
      running: true,
      byHand: { environment: { CLAUDE_CODE_OAUTH_TOKEN: tokens.bad } },
    });

    const ended = await stage.run("push", "web-1", "--clear-shadows", "--json");

    expect(ended.result).toMatchObject({ outcome: "conflict", code: "HOST_LOGIN_CONFLICT" });
    expectOldFile(stage, ownLogin);
  });
});
