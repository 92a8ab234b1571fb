import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { hostToken, wrapperPid } from "../support/host-state.ts";
import { expectNoTraces, expectOldWhole } from "../support/promises.ts";
import { findProgram } from "../support/programs.ts";
import { canChooseShell, hasSshd } from "../support/sshd.ts";
import { PUSH, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { SUPERVISORS, environmentOf, openSupervised, ownProcess } from "../support/supervised.ts";
import type { Kind, Supervised } from "../support/supervised.ts";
import { until } from "../support/until.ts";

const OLD = renderHostLogin(tokens.other);
const SETUP_TOKEN = `sk-ant-oat01-CANARYgood-setup-${"0".repeat(70)}`;
const BAD_SETUP_TOKEN = `sk-ant-oat01-CANARYBAD-setup-${"0".repeat(70)}`;
const API_KEY = `sk-ant-api03-GOOD-CANARY-${"0".repeat(70)}`;
const BAD_API_KEY = `sk-ant-api03-CANARY-bad-${"0".repeat(70)}`;
const KEPT = { KEPT: "it's as it was, $HOME and all" };

const own = { open: ownProcess };
const { systemd, "systemd --user": userSystemd, pm2, supervisor } = SUPERVISORS;
const compose = SUPERVISORS["docker-compose"];
const isRoot = process.getuid?.() === 0;

type Case = [name: string, kind: Pick<Kind, "open">, host: Record<string, unknown>];
const present = (name: string, kind?: Kind): Case[] =>
  kind === undefined ? [] : [[name, kind, {}]];

/** Those that read an env file of ours. */
const WIRED: Case[] = [
  ["process", own, {}],
  ...(isRoot ? present("systemd", systemd) : []),
  ...present("systemd --user", userSystemd),
  ...present("docker-compose", compose),
  ...present("pm2", pm2),
];
/** And those whose start script reads one of the user's. */
const ALL: Case[] = [
  ...WIRED,
  ...present("supervisor", supervisor),
  ...present("launchd", SUPERVISORS["launchd"]),
].map(([name, kind]): Case => {
  const isWired = WIRED.some(([wired]) => wired === name);
  return [name, kind, isWired ? {} : { envFile: "~/wrapper/env" }];
});

const BY_SETUP_TOKEN = { delivery: "setup-token", place: "env", token: { file: "secret" } };
const BY_API_KEY = { delivery: "api-key", place: "env", apiKey: { file: "secret" } };

function deliver(
  { stage, restart }: Supervised,
  how: Record<string, unknown>,
  secret: string,
): void {
  writeFileSync(join(stage.laptop, "secret"), `${secret}\n`, { mode: 0o600 });
  stage.configure({ restart, ...how });
}

/** What the wrapper's process has, without what names the process itself. */
async function environment(stage: Stage): Promise<Record<string, string>> {
  const ofProcess =
    /^(?:_|SHLVL|PWD|OLDPWD|INVOCATION_ID|SYSTEMD_EXEC_PID|HOSTNAME|pm_uptime|created_at|restart_time|unstable_restarts|status|exit_code|prev_restart_delay|version)$/;
  const all = Object.entries(environmentOf(await wrapperPid(stage)));
  // pm2 cannot take a variable away: to Claude Code an empty one is none.
  return Object.fromEntries(all.filter(([name, value]) => !ofProcess.test(name) && value !== ""));
}

// Several pushes each.
vi.setConfig({ testTimeout: 240_000 });

describe.skipIf(!hasSshd).each(ALL)("a variable for a wrapper under %s", (_, kind, host) => {
  test("is there after the push, goes back to the letter with one that does not work, and is gone after the last", async () => {
    await using one = await openSupervised(kind.open(), { hostFile: OLD, variables: KEPT });
    const { stage } = one;
    const before = await environment(stage);
    expect(before).toMatchObject(KEPT);

    // That there was none is what a way back has to find again.
    deliver(one, { ...BY_API_KEY, ...host }, BAD_API_KEY);
    const first = await stage.run(...PUSH);
    expect(first.result).toMatchObject({ outcome: "rolled-back", code: "external-key-invalid" });
    expect(await environment(stage)).toEqual(before);
    expect(readFileSync(stage.hostFile, "utf8")).toBe(OLD);

    deliver(one, { ...BY_SETUP_TOKEN, ...host }, SETUP_TOKEN);
    expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
    const withToken = { ...before, CLAUDE_CODE_OAUTH_TOKEN: SETUP_TOKEN };
    expect(await environment(stage)).toEqual(withToken);
    const pid = await wrapperPid(stage);
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");
    expect(await wrapperPid(stage)).toBe(pid);

    deliver(one, { ...BY_SETUP_TOKEN, ...host }, BAD_SETUP_TOKEN);
    const second = await stage.run(...PUSH);
    expect(second.result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    expect(await environment(stage)).toEqual(withToken);

    // Also from a file of the user's own: the ledger knows that we have put it there.
    stage.configure({ restart: one.restart, ...host });
    expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
    expect(await environment(stage)).toEqual(before);
    expect(hostToken(stage)).toBe(tokens.good);
    await expectNoTraces(join(stage.sshd.home, ".claude"));
  });
});

/** The two kinds of wiring: at a start of ours, and by a file that a supervisor reads. */
const BOTH = WIRED.filter(([name]) => name === "process" || name === "systemd --user");

describe.skipIf(!hasSshd).each(BOTH)("under %s", (_, kind) => {
  test("a key takes the place of a token, and a bad key gives way to the good one again", async () => {
    await using one = await openSupervised(kind.open(), { hostFile: OLD, variables: KEPT });
    const { stage } = one;
    const before = await environment(stage);
    deliver(one, BY_SETUP_TOKEN, SETUP_TOKEN);
    expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });

    deliver(one, BY_API_KEY, API_KEY);
    expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
    const withKey = { ...before, ANTHROPIC_API_KEY: API_KEY };
    expect(await environment(stage)).toEqual(withKey);

    deliver(one, BY_API_KEY, BAD_API_KEY);
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "external-key-invalid" });
    expect(await environment(stage)).toEqual(withKey);
  });
});

describe.skipIf(!hasSshd).each(WIRED.filter(([name]) => name !== "docker-compose"))(
  "a key that the wrapper was started with, under %s",
  (_, kind) => {
    const variables = { ...KEPT, ANTHROPIC_API_KEY: BAD_API_KEY };
    const CLEAR = [...PUSH, "--clear-shadows"];

    test("is kept from the new process by `--clear-shadows`, and from no later one", async () => {
      await using one = await openSupervised(kind.open(), { hostFile: OLD, variables });
      const { ANTHROPIC_API_KEY: _key, ...others } = await environment(one.stage);

      expect((await one.stage.run(...PUSH)).result).toMatchObject({ code: "SHADOWED" });
      expect((await one.stage.run(...CLEAR)).result).toMatchObject({ outcome: "verified" });
      expect(await environment(one.stage)).toEqual(others);
      expect((await one.stage.run(...PUSH)).result.outcome).toBe("unchanged");
      one.stage.logIn(`${tokens.good}-renewed`);
      expect((await one.stage.run(...PUSH)).result.outcome).toBe("verified");
      expect(await environment(one.stage)).toEqual(others);
    });

    test("is there again after a way back", async () => {
      await using one = await openSupervised(kind.open(), { hostFile: OLD, variables });
      const before = await environment(one.stage);
      one.stage.logIn(tokens.bad);

      const { result } = await one.stage.run(...CLEAR);

      expect(result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
      expect(await environment(one.stage)).toEqual(before);
    });
  },
);

describe
  .skipIf(!hasSshd)
  .each(WIRED.filter(([name]) => ["docker-compose", "systemd --user"].includes(name)))(
  "a push by variable that is killed, under %s",
  (_, kind) => {
    test("is undone by the host itself, the environment too", async () => {
      await using one = await openSupervised(kind.open(), { hostFile: OLD, variables: KEPT });
      const { stage } = one;
      const before = await environment(stage);
      const token = SETUP_TOKEN.replace("setup", "SLOW");
      deliver(one, { ...BY_SETUP_TOKEN, confirmTimeoutMs: 5000 }, token);
      const push = stage.start(...PUSH);
      // The wrapper has the variable: the change is in, and not confirmed.
      await until("the new process runs", async () => {
        const pid = await wrapperPid(stage).catch(() => undefined);
        return pid !== undefined && "CLAUDE_CODE_OAUTH_TOKEN" in environmentOf(pid);
      });
      push.kill("SIGKILL");
      await push.ended;

      const pending = join(stage.sshd.home, ".claude/.sync-creds/pending");
      await until("the host went back by itself", () => !existsSync(pending), 40_000);
      await until("the wrapper answers", async () => (await stage.chat("say pong")) === "pong");
      expect(await environment(stage)).toEqual(before);
      expect(readFileSync(stage.hostFile, "utf8")).toBe(OLD);
      await expectNoTraces(join(stage.sshd.home, ".claude"));
    });
  },
);

/** Units of root, and a login that is not root. */
describe.skipIf(!canChooseShell || findProgram("sudo") === undefined || systemd === undefined)(
  "a unit of root and a login of another account",
  () => {
    const open = () => {
      const units = systemd!.open();
      const path = [...(units.sshd.path ?? []), "/usr/sbin:/usr/bin:/sbin:/bin"].join(":");
      const sshd = { shell: "/bin/sh" };
      const opened = openSupervised(units, { hostFile: OLD, variables: KEPT, sshd });
      return opened.then((one) => ({ one, path }));
    };
    const dropInOf = ({ restart }: Supervised) =>
      `/etc/systemd/system/${String(restart["unit"])}.service.d/zz-sync-creds.conf`;

    /** Lets the login be root without a password; sudo's own PATH has the stand-in too. */
    function allow({ stage }: Supervised, path: string): Disposable {
      const { user } = stage.sshd;
      const file = join("/etc/sudoers.d", user);
      const text = `Defaults:${user} secure_path="${path}"\n${user} ALL=(root) NOPASSWD: ALL\n`;
      writeFileSync(file, text, { mode: 0o440 });
      return { [Symbol.dispose]: () => rmSync(file) };
    }

    test("are served through `sudo -n`: a drop-in of root, and no trace of it afterwards", async () => {
      const { one, path } = await open();
      await using _one = one;
      using _rule = allow(one, path);
      const { stage } = one;
      const before = await environment(stage);

      deliver(one, BY_SETUP_TOKEN, SETUP_TOKEN);
      expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
      expect(await environment(stage)).toEqual({ ...before, CLAUDE_CODE_OAUTH_TOKEN: SETUP_TOKEN });
      const { uid, mode } = lstatSync(dropInOf(one));
      expect([uid, mode & 0o777]).toEqual([0, 0o644]);
      expect(readFileSync(dropInOf(one), "utf8")).not.toContain("CANARY");

      deliver(one, BY_SETUP_TOKEN, BAD_SETUP_TOKEN);
      const { result } = await stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
      expect(await environment(stage)).toEqual({ ...before, CLAUDE_CODE_OAUTH_TOKEN: SETUP_TOKEN });

      stage.configure({ restart: one.restart });
      expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
      expect(await environment(stage)).toEqual(before);
      expect(existsSync(dropInOf(one))).toBe(false);
    });

    test("are refused without it, and nothing is changed", async () => {
      const { one } = await open();
      await using _one = one;
      const { stage } = one;
      const pid = await wrapperPid(stage);
      deliver(one, BY_SETUP_TOKEN, SETUP_TOKEN);

      const { result, code } = await stage.run(...PUSH);

      expect(result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
      expect(result.what).toBe("this login may not change what belongs to root");
      expect(result.state).toBe("nothing was changed on the host");
      expect(code).toBe(10);
      expect(await wrapperPid(stage)).toBe(pid);
      expect(existsSync(dirname(dropInOf(one)))).toBe(false);
      expect(existsSync(join(stage.sshd.home, ".claude/.sync-creds/wrapper.env"))).toBe(false);
      await expectOldWhole(stage.hostFile, OLD);
    });
  },
);

describe.skipIf(!hasSshd)("a variable that does not reach the wrapper", () => {
  test("proves nothing, even where an older login answers", async () => {
    await using one = await openSupervised(ownProcess(), { hostFile: OLD });
    const { stage, restart } = one;
    const command = `unset ANTHROPIC_API_KEY; ${String(restart["command"])}`;
    deliver({ ...one, restart: { ...restart, command } }, BY_API_KEY, API_KEY);

    const { result } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.what).toBe("the wrapper was started without ANTHROPIC_API_KEY");
    expect(await stage.chat("say pong")).toBe("pong");
    await expectOldWhole(stage.hostFile, OLD);
  });
});
