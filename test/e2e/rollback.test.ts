import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../src/credentials/fingerprint.ts";
import type { BackupSummary } from "../../src/outcome.ts";
import { Secret } from "../../src/secret.ts";
import { openApp } from "../support/app-stage.ts";
import {
  backupsOf,
  expectOldFile,
  expectSettled,
  hostToken,
  readHostFile,
} from "../support/host-state.ts";
import { modeOf } from "../support/promises.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, renderLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const old = renderHostLogin(tokens.other);
const PUSH = ["push", "web-1", "--json"] as const;
const BACK = ["rollback", "web-1", "--json"] as const;
const LIST = ["backups", "web-1", "--json"] as const;
const printOf = (token: string) => fingerprintOf(new Secret(token));

async function list(stage: Stage): Promise<readonly BackupSummary[]> {
  return (await stage.run(...LIST)).result.backups ?? [];
}

function settingsOf({ hostFile }: Stage): string {
  return join(dirname(hostFile), "settings.json");
}

describe.skipIf(!hasSshd)("a rollback", () => {
  test("restores the former login, byte for byte, and is itself taken back by the next one", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    await stage.run(...PUSH);
    const pushed = readHostFile(stage);
    expect(hostToken(stage)).toBe(tokens.good);

    const ended = await stage.run(...BACK);

    expect(ended.result).toMatchObject({ outcome: "verified", fingerprint: printOf(tokens.other) });
    expect(ended.result.validUntil).toBeGreaterThan(Date.now());
    expect(ended.code).toBe(0);
    expectOldFile(stage, old);
    expect(await stage.chat("say pong")).toBe("pong");

    const again = await stage.run(...BACK);
    expect(again.result).toMatchObject({ outcome: "verified", fingerprint: printOf(tokens.good) });
    expect(readHostFile(stage)).toBe(pushed);
    expect((await list(stage)).map(({ what }) => what)).toEqual(["rollback", "rollback", "push"]);
  });

  test("goes back when the former login does not answer", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    await stage.run(...PUSH);
    const pushed = readHostFile(stage);

    const ended = await stage.run(...BACK);

    expect(ended.result).toMatchObject({
      outcome: "rolled-back",
      code: "token-revoked",
      state: "back to what it had before the rollback, and answering again",
    });
    expect(ended.code).toBe(10);
    expectOldFile(stage, pushed);
    expect(await stage.chat("say pong")).toBe("pong");
  });

  test("takes away what was not there before", async () => {
    await using stage = await openStage({ running: true });
    await stage.run(...PUSH);

    const ended = await stage.run(...BACK, "--dry-run");

    expect(ended.result.plan).toContain(`${stage.hostFile}: ${printOf(tokens.good)} → no file`);
    expect(hostToken(stage)).toBe(tokens.good);
    // It answers no question without a login: the push is put in again.
    const back = await stage.run(...BACK);
    expect(back.result).toMatchObject({ outcome: "rolled-back", code: "not-logged-in" });
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test("restores a file that is no text at all", async () => {
    const strange = Buffer.from([0xff, 0xfe, 0, 0x7b]);
    await using stage = await openStage({ hostFile: old, running: true });
    writeFileSync(stage.hostFile, strange, { mode: 0o600 });
    await stage.run(...PUSH);
    // Whatever lies there, the wrapper answers now: by a key in its settings.
    const env = { ANTHROPIC_API_KEY: "sk-ant-api03-GOOD-CANARY-0001" };
    writeFileSync(settingsOf(stage), JSON.stringify({ env }), { mode: 0o600 });

    const ended = await stage.run(...BACK);

    expect(ended.result.outcome).toBe("verified");
    expect(readFileSync(stage.hostFile).equals(strange)).toBe(true);
  });

  test("refuses a login that is known to be dead, unless forced", async () => {
    const blanked = JSON.stringify({
      claudeAiOauth: { accessToken: "", refreshToken: "", expiresAt: 0 },
    });
    await using stage = await openStage({ hostFile: blanked, running: true });
    await stage.run(...PUSH);
    const pushed = readHostFile(stage);

    const ended = await stage.run(...BACK);

    expect(ended.result).toMatchObject({ outcome: "refused", code: "BACKUP_DEAD" });
    expect(ended.result.next.join("\n")).toContain("`sync-creds rollback web-1 --force`");
    expectOldFile(stage, pushed);
    const forced = await stage.run(...BACK, "--force");
    expect(forced.result).toMatchObject({ outcome: "rolled-back" });
    expectOldFile(stage, pushed);
  });

  test("leaves alone what somebody else has written since, and names it", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    await stage.run(...PUSH);
    const theirs = renderLogin(tokens.other, { refreshToken: "sk-ant-ort01-CANARY-theirs" });
    writeFileSync(stage.hostFile, theirs, { mode: 0o600 });

    const ended = await stage.run(...BACK);

    expect(ended.result).toMatchObject({ outcome: "conflict", code: "FILE_CHANGED" });
    expect(ended.result.why).toContain(stage.hostFile);
    expectOldFile(stage, theirs);

    const forced = await stage.run(...BACK, "--force");
    expect(forced.result.outcome).toBe("verified");
    expectOldFile(stage, old);
    // Theirs is not lost: the rollback has kept it.
    const [newest = ""] = backupsOf(stage).toReversed();
    const copy = join(dirname(stage.hostFile), ".sync-creds/backups", newest, "1/backup");
    expect(readFileSync(copy, "utf8")).toBe(theirs);
  });

  test("with --to reaches past later changes, and takes all their files back with it", async () => {
    await using stage = await openStage({
      hostFile: old,
      wrapperArguments: ["--claude", "claude.mjs"],
      host: { backup: "api-key", apiKey: { file: "./key" } },
      running: true,
    });
    writeFileSync(join(stage.laptop, "key"), "sk-ant-api03-GOOD-CANARY-0001\n", { mode: 0o600 });
    expect((await stage.run(...PUSH)).result.outcome).toBe("verified");
    expect((await stage.run("failover", "web-1", "--json")).result.outcome).toBe("verified");
    expect(existsSync(settingsOf(stage))).toBe(true);
    const [, first] = await list(stage);

    const ended = await stage.run(...BACK, "--to", first?.id.slice(0, 6) ?? "?");

    expect(ended.result).toMatchObject({ outcome: "verified", fingerprint: printOf(tokens.other) });
    expectOldFile(stage, old);
    expect(existsSync(settingsOf(stage))).toBe(false);
    expect(existsSync(join(dirname(stage.hostFile), ".sync-creds/api-key"))).toBe(false);
    const unknown = await stage.run(...BACK, "--to", "zzzz");
    expect(unknown.result).toMatchObject({ outcome: "refused", code: "BACKUP_UNKNOWN" });
  });

  test("is for credentials: a switch is passed over, and refused by name", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const app = await openApp(stage);
    await stage.run(...PUSH);
    await stage.run("switch", "web-1", "fallback", "on", "--json");
    const [newest] = await list(stage);
    expect(newest?.what).toBe("switch fallback on");

    const named = await stage.run(...BACK, "--to", newest?.id ?? "");

    expect(named.result).toMatchObject({ outcome: "refused", code: "BACKUP_UNKNOWN" });
    expect(named.result.next).toEqual(["Take it back: `sync-creds switch web-1 fallback off`"]);
    const ended = await stage.run(...BACK);
    expect(ended.result.outcome).toBe("verified");
    expectOldFile(stage, old);
    expect(app.config()).toContain("perplexity");
  });

  test("of a login of the host's own is not taken for ours by the next push", async () => {
    const own = renderLogin(tokens.other, { refreshToken: "sk-ant-ort01-CANARY-own" });
    await using stage = await openStage({ hostFile: own, running: true });
    await stage.run(...PUSH, "--force");
    expect((await stage.run(...BACK)).result.outcome).toBe("verified");
    const ledger = readFileSync(
      join(stage.laptop, "state/sync-creds/ledger.jsonl"),
      "utf8",
    ).trimEnd();
    expect(JSON.parse(ledger.split("\n").at(-1) ?? "")).toMatchObject({
      host: "web-1",
      by: "rollback",
      outcome: "verified",
      fingerprint: printOf(tokens.other),
    });

    const ended = await stage.run(...PUSH);

    expect(ended.result).toMatchObject({ outcome: "conflict", code: "HOST_LOGIN_CONFLICT" });
    expectOldFile(stage, own);
  });

  test("needs neither a login on the laptop nor a backup that is not there", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    rmSync(stage.laptopFile);

    const ended = await stage.run(...BACK);

    expect(ended.result).toMatchObject({ outcome: "refused", code: "BACKUP_UNKNOWN" });
    expect(ended.result.what).toBe("the host keeps no backup to restore");
    expectOldFile(stage, old);
  });

  test("of everything asks first", async () => {
    await using stage = await openStage({ hostFile: old });
    const ended = await stage.run("rollback", "all", "--json");
    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      error: { code: "INPUT_NEEDED", what: "not without a yes: Roll back web-1" },
    });
    expect(stage.sshd.log()).not.toContain("Connection from");
  });
});

describe.skipIf(!hasSshd)("backups", () => {
  test("are listed by date, fingerprint, maker and files, never by content", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    await stage.run(...PUSH);

    const ended = await stage.run(...LIST);

    expect(ended.code).toBe(0);
    expect(ended.result.backups).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{16}$/),
        at: expect.any(Number),
        who: expect.stringMatching(/^\w+@/),
        what: "push",
        fingerprint: printOf(tokens.other),
        holds: printOf(tokens.other),
        files: [stage.hostFile],
      },
    ]);
    expect(Math.abs((ended.result.backups?.[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
    const shown = await stage.run("backups", "web-1");
    expect(shown.stdout).toContain(printOf(tokens.other));
    expect(shown.stdout + shown.stderr + ended.stdout).not.toContain("CANARY");
  });

  test("that are not there are none", async () => {
    await using stage = await openStage({ hostFile: old });
    expect(await list(stage)).toEqual([]);
    expect((await stage.run("backups", "web-1")).stdout).toBe("web-1\nno backups\n");
    const pruned = await stage.run("backups", "web-1", "--prune", "--yes", "--json");
    expect(pruned.result).toMatchObject({ outcome: "unchanged", backups: [] });
    expect(existsSync(join(dirname(stage.hostFile), ".sync-creds"))).toBe(false);
  });

  test("are five at most, private all of them", async () => {
    await using stage = await openStage({
      hostFile: old,
      host: { restart: { kind: "none" } },
      running: true,
    });
    for (const token of [1, 2, 3, 4, 5, 6]) {
      stage.logIn(`sk-ant-oat01-CANARYgood-${token}`);
      expect((await stage.run(...PUSH)).result.outcome).toBe("verified");
    }
    const all = await list(stage);
    expect(all.map(({ fingerprint }) => fingerprint)).toEqual(
      [5, 4, 3, 2, 1].map((token) => printOf(`sk-ant-oat01-CANARYgood-${token}`)),
    );
    const folder = join(dirname(stage.hostFile), ".sync-creds/backups");
    expect(modeOf(folder)).toBe("700");
    for (const name of backupsOf(stage)) {
      expect(modeOf(join(folder, name))).toBe("700");
      for (const file of ["change", "1/backup", "1/about"]) {
        expect(modeOf(join(folder, name, file))).toBe("600");
      }
    }

    const unasked = await stage.run("backups", "web-1", "--prune", "--json");
    expect(JSON.parse(unasked.stdout)).toMatchObject({ error: { code: "INPUT_NEEDED" } });
    expect(backupsOf(stage)).toHaveLength(5);
    const some = await stage.run("backups", "web-1", "--prune", "--keep", "3", "--yes", "--json");
    expect(some.result.backups).toEqual(all.slice(0, 3));
    await stage.run("backups", "web-1", "--prune", "--yes", "--json");
    expect(await list(stage)).toEqual(all.slice(0, 1));
    await stage.run("backups", "web-1", "--prune", "--keep", "0", "--yes", "--json");
    expect(backupsOf(stage)).toEqual([]);
    expectSettled(stage);
  });

  test("take no notice of a strange neighbour in their folder", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    await stage.run(...PUSH);
    const folder = join(dirname(stage.hostFile), ".sync-creds/backups");
    mkdirSync(join(folder, "not one of ours"));
    const ended = await stage.run(...LIST);
    expect(ended.result.backups).toHaveLength(1);
    expect((await stage.run(...BACK)).result.outcome).toBe("verified");
    expectOldFile(stage, old);
  });
});
