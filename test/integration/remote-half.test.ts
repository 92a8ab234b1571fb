import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pruneBackups, readBackups } from "../../src/install/backups.ts";
import { install } from "../../src/install/install.ts";
import { commit, rollBack } from "../../src/install/rollback.ts";
import { probe } from "../../src/probe/probe.ts";
import { restart } from "../../src/restart/restart.ts";
import type { RestartReport } from "../../src/remote/restart-report.ts";
import { Secret } from "../../src/secret.ts";
import { treeOf } from "../support/host-state.ts";
import { WAYS, makeLocalHome, writeHostFile } from "../support/local-half.ts";
import type { LocalHalf, LocalHome } from "../support/local-half.ts";
import { processesNaming } from "../support/processes.ts";
import { expectNoTraces, expectOldWhole, modeOf } from "../support/promises.ts";
import { renderHostLogin, tokens } from "../support/stage.ts";
import { until } from "../support/until.ts";

const OLD = renderHostLogin(tokens.other);
const NEW = renderHostLogin(tokens.good);

/** Looks, then puts NEW in the place of what lies there, and stops short of the verdict. */
async function change(
  { half, run }: LocalHalf,
  { configDir, hostFile, recipe }: LocalHome,
  before: Buffer | undefined,
): Promise<void> {
  await probe(half, run, {}, recipe);
  const file = { path: hostFile, mode: "600", before, after: new Secret(NEW) };
  const changes = before?.equals(Buffer.from(NEW)) === true ? [] : [file];
  await install(half, {
    run,
    who: "ana@laptop",
    configDir,
    confirmTimeoutMs: 20_000,
    recipe,
    changes,
  });
}

async function restarted(one: LocalHalf): Promise<void> {
  expect(await restartBy(one)).toMatchObject({ failure: undefined });
}

function restartBy({ half, run }: LocalHalf): Promise<RestartReport> {
  return restart(half, run, 20_000).done;
}

describe.each(WAYS)("the remote half under %s", (_, shell, environment) => {
  test("sees the host as it is", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD);
    const { half, run } = await host.open(shell, undefined, environment);

    const report = await probe(half, run, {}, host.recipe);

    expect(report).toMatchObject({
      uid: process.getuid?.(),
      home: host.home,
      configDir: host.configDir,
      homeEntry: { kind: "directory" },
      dirEntry: { kind: "directory", uid: process.getuid?.() },
      fileEntry: { kind: "file", links: 1 },
      file: before,
      directory: "directory",
      missing: [],
      foreign: false,
    });
    expect(report.dirEntry.mode).toMatch(/^drwx------/);
    expect(report.fileEntry.mode).toMatch(/^-rw-------/);
    expect(report.freeKiB).toBeGreaterThan(0);
    expect(Math.abs(report.clock - Date.now())).toBeLessThan(60_000);
    half.end();
  });

  test("changes nothing while it looks", async () => {
    using host = await makeLocalHome();
    writeHostFile(host, OLD);
    const before = treeOf(host.home);
    const { half, run, ended } = await host.open(shell, undefined, environment);
    await probe(half, run, {}, host.recipe);
    half.end();
    await ended;
    expect(treeOf(host.home)).toEqual(before);
  });

  test("installs, restarts and commits, and keeps the former file as a private backup", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD);
    const one = await host.open(shell, undefined, environment);

    await change(one, host, before);
    const pending = join(host.configDir, ".sync-creds", "pending");
    expect(modeOf(join(host.configDir, ".sync-creds"))).toBe("700");
    for (const name of ["change", "script", "1/backup", "1/about"]) {
      expect(modeOf(join(pending, name))).toBe("600");
    }
    await restarted(one);
    expect(await commit(one.half, one.run)).toBe(true);

    expect(await host.chat("say pong")).toBe("pong");
    expect(readFileSync(host.hostFile, "utf8")).toBe(NEW);
    expect(modeOf(host.hostFile)).toBe("600");
    const [backup = ""] = readdirSync(join(host.configDir, ".sync-creds/backups"));
    const kept = join(host.configDir, ".sync-creds/backups", backup, "1/backup");
    expect(readFileSync(kept, "utf8")).toBe(OLD);
    await expectNoTraces(host.configDir);
  });

  test("takes a change back byte for byte", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD.replaceAll(",", ",\r\n\t "));
    const one = await host.open(shell, undefined, environment);
    await change(one, host, before);
    await restarted(one);
    const back = await rollBack(one.half, one.run, 20_000);
    expect(back).toMatchObject({ restored: true, restart: { failure: undefined } });
    expect(await host.chat("say pong")).toBe("pong");
    await expectOldWhole(host.hostFile, before);
  });

  test("takes a first change back to no file at all", async () => {
    using host = await makeLocalHome();
    const one = await host.open(shell, undefined, environment);
    await change(one, host, undefined);
    expect(modeOf(host.configDir)).toBe("700");
    expect((await rollBack(one.half, one.run, 20_000)).restored).toBe(true);
    await expectOldWhole(host.hostFile, undefined);
  });

  test("restarts alone when no file is to change", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, NEW);
    const one = await host.open(shell, undefined, environment);
    await change(one, host, before);
    await restarted(one);
    expect(await commit(one.half, one.run)).toBe(true);
    await expectOldWhole(host.hostFile, before);
  });

  test("gives a person the way back: `sh pending/script undo`", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD);
    const one = await host.open(shell, undefined, environment);
    await change(one, host, before);
    await restarted(one);
    expect(readFileSync(host.hostFile, "utf8")).toBe(NEW);

    const [program = "", ...words] = shell;
    const script = join(host.configDir, ".sync-creds/pending/script");
    execFileSync(program, [...words, script, "undo"], { env: { ...process.env, HOME: host.home } });

    expect(await host.chat("say pong")).toBe("pong");
    one.half.end();
    await one.ended;
    await expectOldWhole(host.hostFile, before);
  });

  test("ends a restart command that hangs, with all it has started", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD);
    const one = await host.open(shell, undefined, environment);
    const hang = join(host.home, "hang");
    writeFileSync(
      hang,
      "[ ! -e once ] || exit 0\n: >once\ntrap '' TERM\nsleep 600 & wait\nsleep 600\n",
    );
    const command = `cd ${host.home}; echo first; sh ${hang}`;
    const recipe = { kind: "command", restart: command, timeout: 1, port: host.port, start: 0 };
    await change(one, { ...host, recipe }, before);
    const { failure } = await restartBy(one);
    expect(failure).toMatchObject({ reason: "hangs", detail: "first" });
    await rollBack(one.half, one.run, 20_000);
    await expectOldWhole(host.hostFile, before);
    expect(processesNaming(hang)).toEqual([]);
  });

  test("keeps the last five backups", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD);
    const backups = join(host.configDir, ".sync-creds/backups");
    for (const hour of [1, 2, 3, 4, 5, 6]) {
      mkdirSync(join(backups, `20200101T0${hour}0000Z-sync-creds-old`), {
        recursive: true,
        mode: 0o700,
      });
    }
    const one = await host.open(shell, undefined, environment);
    await change(one, { ...host, recipe: { kind: "none" } }, before);
    await commit(one.half, one.run);
    await until("old backups are gone", () => readdirSync(backups).length === 5);
    expect(existsSync(join(backups, "20200101T020000Z-sync-creds-old"))).toBe(false);
    expect(readdirSync(backups).at(-1)).toContain(one.run);
  });

  test("lists what it keeps, newest first, with the files as they were before", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD);
    const first = await host.open(shell, undefined, environment);
    await change(first, { ...host, recipe: { kind: "none" } }, before);
    await commit(first.half, first.run);
    const other = join(host.home, "new folder", "file of ours");
    await install(first.half, {
      run: "0000",
      who: "ben@desk",
      what: "switch fallback on",
      configDir: host.configDir,
      confirmTimeoutMs: 20_000,
      recipe: { kind: "none" },
      changes: [{ path: other, mode: "644", before: undefined, after: new Secret("x") }],
    });
    await commit(first.half, "0000");

    const backups = await readBackups(first.half, first.run);

    // Both were made within a second: the later one is first all the same.
    const [newest, oldest] = backups;
    expect(newest).toMatchObject({
      id: "0000",
      who: "ben@desk",
      what: "switch fallback on",
      isCommitted: true,
      files: [{ path: other, was: "absent", became: sha256("x"), asRoot: false }],
    });
    expect(newest?.files[0]?.copy.kind).toBe("absent");
    expect(oldest).toMatchObject({
      id: first.run,
      who: "ana@laptop",
      what: "push",
      isCommitted: true,
    });
    expect(oldest?.files).toMatchObject([
      { path: host.hostFile, was: sha256(OLD), became: sha256(NEW), copy: { bytes: before } },
    ]);
    expect(oldest?.files[0]?.copy.mode).toMatch(/^-rw-------/);
    expect(backups).toHaveLength(2);
    first.half.end();
  });

  test("removes all but the newest backups, and nothing that is not one", async () => {
    using host = await makeLocalHome();
    writeHostFile(host, OLD);
    const { half, run } = await host.open(shell, undefined, environment);
    const { recipe } = host;
    await probe(half, run, {}, recipe);
    const prune = (keep: number) => pruneBackups(half, { run, who: "ana@laptop", keep });
    expect(await prune(1)).toEqual([]);
    expect(existsSync(join(host.configDir, ".sync-creds"))).toBe(false);
    expect(await readBackups(half, run)).toEqual([]);
    const names = [1, 2, 3].map((hour) => `20200101T0${hour}0000Z-sync-creds-a${hour}`);
    const folder = join(host.configDir, ".sync-creds/backups");
    for (const name of [...names, "not one of ours"]) {
      mkdirSync(join(folder, name, "1"), { recursive: true, mode: 0o700 });
    }

    expect(await prune(1)).toEqual([names[1], names[0]]);
    expect(readdirSync(folder).sort()).toEqual([names[2], "not one of ours"]);
    expect(await prune(0)).toEqual([names[2]]);
    expect(await readBackups(half, run)).toEqual([]);
    half.end();
  });

  test("keeps the newest backup of credentials, however many switches came after it", async () => {
    using host = await makeLocalHome();
    writeHostFile(host, OLD);
    const { half, run } = await host.open(shell, undefined, environment);
    await probe(half, run, {}, host.recipe);
    const folder = join(host.configDir, ".sync-creds/backups");
    const whats = ["push", "rollback", "switch fallback on", "switch fallback off"];
    const names = whats.map((what, hour) => {
      const name = `20200101T0${hour}0000Z-sync-creds-a${hour}`;
      mkdirSync(join(folder, name, "1"), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, name, "change"), `who=ana@laptop\nwhat=${what}\n`);
      writeFileSync(join(folder, name, "committed"), "");
      return name;
    });
    const prune = (keep: number) => pruneBackups(half, { run, who: "ana@laptop", keep });

    expect(await prune(2)).toEqual([names[2], names[0]]);
    expect(await prune(1)).toEqual([names[3]]);
    expect(readdirSync(folder)).toEqual([names[1]]);
    half.end();
  });

  test("removes no backup while another run is at work", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, OLD);
    const one = await host.open(shell, undefined, environment);
    await change(one, { ...host, recipe: { kind: "none" } }, before);
    const other = await host.open(shell, undefined, environment);
    await probe(other.half, other.run, {}, host.recipe);
    mkdirSync(join(host.configDir, ".sync-creds/backups"));
    const pruning = pruneBackups(other.half, { run: other.run, who: "ben@desk", keep: 0 });
    await expect(pruning).rejects.toMatchObject({
      code: "LOCKED",
      why: expect.stringContaining("ana@laptop"),
    });
    await rollBack(one.half, one.run, 20_000);
    one.half.end();
    other.half.end();
  });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
