import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openAdversary } from "../support/adversary.ts";
import type { Behaviour } from "../support/adversary.ts";
import {
  backupsOf,
  expectProven,
  expectSettled,
  hostToken,
  readHostFile,
} from "../support/host-state.ts";
import { WITHOUT_PERL } from "../support/local-half.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, renderLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { until } from "../support/until.ts";

const old = renderHostLogin(tokens.other);
const PUSH = ["push", "web-1", "--json"] as const;

describe.skipIf(!hasSshd)("two pushes to one host", () => {
  test("that start at once: one is verified, the other is busy and touches nothing", async () => {
    await using stage = await openStage({
      hostFile: old,
      wrapperArguments: ["--answer-ms", "500"],
      running: true,
    });

    const both = await Promise.all([stage.run(...PUSH), stage.run(...PUSH)]);

    const [busy, verified] = both.sort((a, b) => (a.result.outcome < b.result.outcome ? -1 : 1));
    expect(busy?.result).toMatchObject({ outcome: "busy", code: "LOCKED" });
    expect(busy?.code).toBe(13);
    if (verified === undefined) throw new Error("only one ended");
    await expectProven(stage, verified, tokens.good);
    expect(historyOf(stage)).toMatch(/^[^\n]*\tcommitted\t[^\n]*\n$/);
    expect(backupsOf(stage)).toHaveLength(1);
  });

  test("one of which comes while the other is at work: it is told who holds the lock", async () => {
    await using stage = await openStage({
      hostFile: old,
      wrapperArguments: ["--answer-ms", "2500"],
      running: true,
    });
    const first = stage.start(...PUSH);
    await first.reached("smoke");
    stage.logIn(tokens.bad);

    const second = await stage.run(...PUSH);

    expect(second.result).toMatchObject({ outcome: "busy", code: "LOCKED" });
    expect(second.result.why).toMatch(/held by .*@/);
    expect(second.code).toBe(13);
    await expectProven(stage, await first.ended, tokens.good);
  });
});

describe.skipIf(!hasSshd)("a file that changes between the look and the install", () => {
  test("is planned anew, once: what was written meanwhile is kept", async () => {
    using probed = watchProbe();
    await using stage = await openStage({ hostFile: old, sshd: probed.sshd });
    const renewed = old.replace("mcp-CANARY-kept", "mcp-CANARY-renewed");
    let questions = 0;
    await using _wrapper = await openWrapper(stage, "invalid-key", async () => {
      questions += 1;
      if (questions === 1) {
        await probed.once();
        write(stage, renewed);
      }
      return true;
    });

    const ended = await stage.run(...PUSH);

    expect(ended.stdout.match(/"step":"probe"/g)).toHaveLength(2);
    expect(ended.result.outcome).toBe("verified");
    expect(hostToken(stage)).toBe(tokens.good);
    expect(readHostFile(stage)).toContain("mcp-CANARY-renewed");
    expectSettled(stage);
  });

  test("again and again is left to whoever writes it", async () => {
    using probed = watchProbe();
    await using stage = await openStage({ hostFile: old, sshd: probed.sshd });
    let last = old;
    await using _wrapper = await openWrapper(stage, "invalid-key", async () => {
      await probed.once();
      last = `${last} `;
      write(stage, last);
      return true;
    });

    const ended = await stage.run(...PUSH);

    expect(ended.result).toMatchObject({ outcome: "conflict", code: "FILE_CHANGED" });
    expect(ended.code).toBe(10);
    expect(readHostFile(stage)).toBe(last);
    expectSettled(stage);
  });

  test("to a login of the host's own is a conflict, not ours to overwrite", async () => {
    using probed = watchProbe();
    await using stage = await openStage({ hostFile: old, sshd: probed.sshd });
    const own = renderLogin("sk-ant-oat01-CANARYgood-own-0009", {
      refreshToken: "sk-ant-ort01-CANARYrefresh-own-0010",
    });
    let questions = 0;
    await using _wrapper = await openWrapper(stage, "invalid-key", async () => {
      questions += 1;
      if (questions === 1) {
        await probed.once();
        write(stage, own);
      }
      return true;
    });

    const ended = await stage.run(...PUSH);

    expect(ended.result).toMatchObject({ outcome: "conflict", code: "HOST_LOGIN_CONFLICT" });
    expect(readHostFile(stage)).toBe(own);
    expectSettled(stage);
  });
});

describe.skipIf(!hasSshd)("a file that somebody else writes after us", () => {
  test("is not rolled back over: conflict, their content stays", async () => {
    await using stage = await openStage({ hostFile: old });
    const theirs = renderHostLogin("sk-ant-oat01-CANARYgood-theirs-0011");
    await using _wrapper = await openWrapper(stage, "invalid-key", () => {
      if (hostToken(stage) !== tokens.good) return true;
      write(stage, theirs);
      return false;
    });

    const ended = await stage.run(...PUSH);

    expect(ended.result).toMatchObject({ outcome: "conflict", code: "external-key-invalid" });
    expect(ended.result.state).toContain("something else wrote the file after us");
    expect(ended.code).toBe(10);
    expect(readHostFile(stage)).toBe(theirs);
    expectSettled(stage);
    const backups = join(dirname(stage.hostFile), ".sync-creds", "backups");
    const [kept = ""] = readdirSync(backups);
    expect(readFileSync(join(backups, kept, "1", "backup"), "utf8")).toBe(old);
    // The host is not blocked by it: the next push looks at it as it is now.
    const next = await stage.run("plan", "web-1", "--json");
    expect(next.result.outcome).toBe("planned");
  });

  test("after a push that was killed does not block the next one", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(tokens.slow);
    const killed = stage.start(...PUSH);
    await killed.reached("smoke");
    killed.kill("SIGKILL");
    await killed.ended;
    write(stage, renderHostLogin("sk-ant-oat01-CANARYgood-theirs-0011"));
    stage.logIn(tokens.good);

    await until("the killed push lets go", async () => {
      const { result } = await stage.run(...PUSH);
      return result.outcome === "verified";
    });

    expect(hostToken(stage)).toBe(tokens.good);
    expectSettled(stage);
  });
});

/** A wrapper without restart that may do something at each question before it answers, well or not. */
async function openWrapper(
  stage: Stage,
  behaviour: Behaviour,
  answersWell: () => boolean | Promise<boolean>,
) {
  const { url, close } = await openAdversary(behaviour, { answersWell });
  stage.configure({ restart: { kind: "none" } }, { url, health: undefined });
  return { [Symbol.asyncDispose]: close };
}

/** Replaces the file as Claude Code does: beside it, then renamed. */
function write({ hostFile }: Stage, text: string): void {
  writeFileSync(`${hostFile}.theirs`, text, { mode: 0o600 });
  renameSync(`${hostFile}.theirs`, hostFile);
}

/** Tells when the host's file has been looked at: where there is no perl, only the probe runs `od`, and only for that. */
function watchProbe() {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-od-"));
  const mark = join(folder, "asked");
  writeFileSync(join(folder, "od"), `#!/bin/sh\nPATH=/usr/bin:/bin od "$@"\n: >'${mark}'\n`);
  chmodSync(join(folder, "od"), 0o755);
  return {
    sshd: { path: [folder], environment: WITHOUT_PERL },
    async once() {
      await until("the probe has read the file", () => existsSync(mark));
      rmSync(mark);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

function historyOf({ hostFile }: Stage): string {
  return readFileSync(join(dirname(hostFile), ".sync-creds", "history"), "utf8");
}
