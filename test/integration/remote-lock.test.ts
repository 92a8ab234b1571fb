import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { endHolder } from "../../src/install/unlock.ts";
import { recover } from "../../src/install/rollback.ts";
import { probe } from "../../src/probe/probe.ts";
import { renderHolder } from "../../src/remote/lock-holder.ts";
import type { Answer } from "../../src/remote/frames.ts";
import { SHELLS, makeLocalHome, writeHostFile } from "../support/local-half.ts";
import type { LocalHalf, LocalHome } from "../support/local-half.ts";
import { isProgram } from "../support/programs.ts";
import { expectNoTraces } from "../support/promises.ts";
import { until } from "../support/until.ts";

// No process has this pid: it is above every kernel's limit.
const DEAD = "99999999 1 deadrun bob@desk\n";

async function openProbed(
  host: LocalHome,
  shell?: readonly string[],
  path?: string,
): Promise<LocalHalf> {
  const one = await host.open(shell, path);
  await probe(one.half, one.run, {}, { kind: "none" });
  return one;
}

function begin({ half, run }: LocalHalf, { configDir }: LocalHome): Promise<Answer> {
  return half.ask({
    verb: "begin",
    fields: { run, who: "ana@laptop", dir: configDir, kind: "none" },
  });
}

function folderOf({ configDir }: LocalHome): string {
  return join(configDir, ".sync-creds");
}

function leaveLock(host: LocalHome, text: string): void {
  mkdirSync(folderOf(host), { recursive: true, mode: 0o700 });
  writeFileSync(join(folderOf(host), "lock"), text, { mode: 0o600 });
}

test("a second run on the same host is refused while the first one is at work, and told who that is", async () => {
  using host = await makeLocalHome();
  const first = await openProbed(host);
  expect((await begin(first, host)).get("fail")).toBeUndefined();

  const second = await openProbed(host);
  const answer = await begin(second, host);
  expect(answer.get("fail")).toBe("busy");
  expect(answer.get("holder")).toMatch(new RegExp(`^${first.run} ana@laptop \\d+$`));
  const report = await probe(second.half, second.run, {}, { kind: "none" });
  expect(report.lockedBy).toMatch(new RegExp(`^${first.run} ana@laptop \\d+$`));

  first.half.end();
  await first.ended;
  expect((await begin(second, host)).get("fail")).toBeUndefined();
  second.half.end();
  await second.ended;
  await expectNoTraces(host.configDir);
});

test("a refused run takes nothing away from the one at work", async () => {
  using host = await makeLocalHome();
  const first = await openProbed(host);
  await begin(first, host);
  const second = await openProbed(host);
  await begin(second, host);
  second.half.end();
  await second.ended;
  expect(readdirSync(folderOf(host)).sort()).toEqual(["lock", `lock.${first.run}`, "pending"]);
});

test("the lock of a holder that is gone is taken over", async () => {
  using host = await makeLocalHome();
  leaveLock(host, DEAD);
  const one = await openProbed(host);
  expect((await begin(one, host)).get("fail")).toBeUndefined();
  expect(readFileSync(join(folderOf(host), "lock"), "utf8")).toContain(one.run);
  one.half.end();
  await one.ended;
  await expectNoTraces(host.configDir);
});

test("a lock whose pid has come round again is taken over", async () => {
  using host = await makeLocalHome();
  leaveLock(host, `${process.pid} 1 oldrun bob@desk\n`);
  const one = await openProbed(host);
  expect((await begin(one, host)).get("fail")).toBeUndefined();
});

test("a take-over that died half-way does not bar the next one", async () => {
  using host = await makeLocalHome();
  leaveLock(host, DEAD);
  writeFileSync(join(folderOf(host), "lock.deadrun.taken"), "99999998 1 otherdead eve@box\n");
  const one = await openProbed(host);
  expect((await begin(one, host)).get("fail")).toBeUndefined();
  one.half.end();
  await one.ended;
  await expectNoTraces(host.configDir);
});

test("what a killed run has staged is found, named and undone by the next", async () => {
  using host = await makeLocalHome();
  writeHostFile(host, "{}");
  const killed = await openProbed(host);
  await begin(killed, host);
  killed.kill();
  await killed.ended;

  const next = await openProbed(host);
  const report = await probe(next.half, next.run, {}, { kind: "none" });
  expect(report).toMatchObject({ leftover: "ana@laptop", lockedBy: undefined });
  const back = await recover(next.half, { run: next.run, who: "eve@desk" }, 10_000);
  expect(back.restored).toBe(true);
  expect(readFileSync(host.hostFile, "utf8")).toBe("{}");
  next.half.end();
  await next.ended;
  await expectNoTraces(host.configDir);
});

test.skipIf(!isProgram("/usr/bin/perl")).each([
  ["has no second name", "", 1],
  ["is not touched where there is no room for a copy", "exit 1", 2],
])(
  "a file that was written to after a killed run had kept it stays as it is, and %s",
  async (_name, copying, links) => {
    using host = await makeLocalHome();
    writeHostFile(host, "{}");
    const killed = await openProbed(host);
    await begin(killed, host);
    const [expected, payload] = [Buffer.from("{}"), Buffer.from('{"ours":1}')];
    const sums = [expected, payload].map((text) => createHash("sha256").update(text).digest("hex"));
    const fields = {
      run: killed.run,
      path: host.hostFile,
      expect: sums[0]!,
      sha: sums[1]!,
      size: payload.length,
    };
    const kept = await killed.half.ask({ verb: "file", fields, payload });
    expect(kept.get("fail")).toBeUndefined();
    expect(statSync(host.hostFile).nlink).toBe(2);
    killed.kill();
    await killed.ended;
    writeFileSync(host.hostFile, '{"theirs":1}');

    const programs = join(host.home, "programs");
    mkdirSync(programs);
    const cp = `#!/bin/sh\n${copying}\nPATH=/usr/bin:/bin exec cp "$@"\n`;
    writeFileSync(join(programs, "cp"), cp, { mode: 0o755 });
    const path = [programs, process.env["PATH"]].join(delimiter);
    const next = await openProbed(host, undefined, path);
    const { fileEntry } = await probe(next.half, next.run, {}, { kind: "none" });
    expect(fileEntry.links).toBe(1);
    await recover(next.half, { run: next.run, who: "eve@desk" }, 10_000);
    expect(readFileSync(host.hostFile, "utf8")).toBe('{"theirs":1}');
    expect(statSync(host.hostFile).nlink).toBe(links);
    expect((await begin(next, host)).get("fail")).toBeUndefined();
  },
);

test.each(SHELLS)(
  "a change that was cut off before it was described is found and undone too, under %s",
  async (_name, shell) => {
    using host = await makeLocalHome();
    writeHostFile(host, "{}");
    mkdirSync(join(folderOf(host), "pending", "1"), { recursive: true, mode: 0o700 });
    const next = await openProbed(host, shell);
    const report = await probe(next.half, next.run, {}, { kind: "none" });
    expect(report.leftover).toBe("unknown");
    const back = await recover(next.half, { run: next.run, who: "eve@desk" }, 10_000);
    expect(back.restored).toBe(true);
    expect((await begin(next, host)).get("fail")).toBeUndefined();
    next.half.end();
    await next.ended;
    expect(readFileSync(host.hostFile, "utf8")).toBe("{}");
    await expectNoTraces(host.configDir);
  },
);

test("of several that find a dead holder's lock at the same moment exactly one wins, every time", async () => {
  using host = await makeLocalHome();
  const shells = SHELLS.map(([, words]) => words);
  const contenders = await Promise.all(
    [0, 1, 2, 3].map((index) => openProbed(host, shells[index % shells.length])),
  );
  for (let round = 0; round < 20; round++) {
    leaveLock(host, DEAD);
    const answers = await Promise.all(contenders.map((one) => begin(one, host)));
    const reasons = answers.map((answer) => answer.get("fail"));
    const winners = contenders.filter((_, index) => reasons[index] === undefined);
    expect(winners, `round ${round}: ${reasons.join()}`).toHaveLength(1);
    expect(reasons.filter((reason) => reason === "busy")).toHaveLength(contenders.length - 1);
    const [winner] = winners;
    await winner?.half.ask({ verb: "rollback", fields: { run: winner.run } });
    await until("the lock is free", () => !existsSync(join(folderOf(host), "lock")));
  }
  for (const one of contenders) one.half.end();
  await Promise.all(contenders.map((one) => one.ended));
  await expectNoTraces(host.configDir);
});

describe.each(SHELLS)("under %s", (_name, shell) => {
  test("unlock ends the holder, whose change is given up or undone, and the next run goes ahead", async () => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, "{}");
    const hanging = await openProbed(host, shell);
    expect((await begin(hanging, host)).get("fail")).toBeUndefined();

    const other = await openProbed(host, shell);
    const person = { run: other.run, who: "eve@desk" };
    expect(await endHolder(other.half, { ...person, holder: hanging.run })).toBe(true);

    await hanging.ended;
    expect(existsSync(join(folderOf(host), "lock"))).toBe(false);
    // A yash that reads its stdin hears no polite signal: what it had begun is the next run's to undo.
    await recover(other.half, person, 10_000);
    expect((await begin(other, host)).get("fail")).toBeUndefined();
    other.half.end();
    await other.ended;
    expect(readFileSync(host.hostFile)).toEqual(before);
    await expectNoTraces(host.configDir);
  });

  test("unlock leaves a run alone that is not the one that was shown", async () => {
    using host = await makeLocalHome();
    const working = await openProbed(host, shell);
    await begin(working, host);

    const other = await openProbed(host, shell);
    const person = { run: other.run, who: "eve@desk" };
    expect(await endHolder(other.half, { ...person, holder: "anotherrun" })).toBe(false);

    const report = await probe(other.half, other.run, {}, { kind: "none" });
    expect(report.lockedBy).toContain(working.run);
  });

  test("unlock ends a run that does not listen", async () => {
    using host = await makeLocalHome();
    // A shell that ignores the polite signal holds the lock.
    const deaf = spawn("sh", ["-c", "trap '' TERM; echo $$; while :; do sleep 0.1; done"]);
    const [pid] = (await once(deaf.stdout, "data")) as [Buffer];
    const start = readFileSync(`/proc/${deaf.pid}/stat`, "utf8")
      .replace(/.*\) /, "")
      .split(" ")[19];
    leaveLock(host, `${String(pid).trim()} ${start} deafrun bob@desk\n`);

    const one = await openProbed(host, shell);
    const { lockedBy } = await probe(one.half, one.run, {}, { kind: "none" });
    expect(renderHolder(lockedBy)).toBe("bob@desk (run deafrun)"); // noted by a version without the time
    const gone = once(deaf, "close");
    const person = { run: one.run, who: "eve@desk" };
    expect(await endHolder(one.half, { ...person, holder: "deafrun" })).toBe(true);

    await gone;
    expect((await begin(one, host)).get("fail")).toBeUndefined();
  });
});
