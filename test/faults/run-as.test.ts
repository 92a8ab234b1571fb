import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { findLeaks, randomSecret, tracesBelow } from "../support/canaries.ts";
import { hostToken } from "../support/host-state.ts";
import { findProgram } from "../support/programs.ts";
import { addAccount, canChooseShell } from "../support/sshd.ts";
import type { Account, SshdOptions } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { hasStrace } from "../support/strace.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";
import { until } from "../support/until.ts";

const OLD = renderHostLogin(tokens.other);
const SHELLS = ["bash", "dash", "fish", "mksh", "tcsh", "yash", "zsh"].flatMap(
  (name) => findProgram(name) ?? [],
);

/** A host where one account logs in, and another one, with a login and a wrapper of its own, runs the wrapper. */
interface TwoAccounts extends AsyncDisposable {
  /** As seen by the account that owns the wrapper. */
  readonly stage: Stage;
  readonly claude: Account;
}

async function openTwoAccounts(sshd: SshdOptions = {}): Promise<TwoAccounts> {
  const deploy = await openStage({ sshd: { shell: "/bin/sh", ...sshd } });
  const home = join(deploy.sshd.directory, "claude");
  const hostFile = join(home, ".claude/.credentials.json");
  const directory = join(home, "wrapper");
  mkdirSync(dirname(hostFile), { recursive: true, mode: 0o700 });
  mkdirSync(directory);
  copyFileSync(join(deploy.directory, "wrapper.mjs"), join(directory, "wrapper.mjs"));
  writeFileSync(hostFile, OLD, { mode: 0o600 });
  const claude = addAccount(home, "/usr/sbin/nologin");
  chmodSync(home, 0o755);
  execFileSync("chown", ["-R", `${claude.uid}:${claude.gid}`, home]);
  const command = deploy.command.replace(deploy.directory, directory);
  const restart = {
    kind: "process",
    directory: "~/wrapper",
    command,
    log: "~/wrapper/wrapper.log",
  };
  deploy.configure({ runAs: claude.name, restart });
  return {
    stage: { ...deploy, hostFile, directory },
    claude,
    [Symbol.asyncDispose]: async () => {
      claude[Symbol.dispose]();
      await deploy[Symbol.asyncDispose]();
    },
  };
}

/** Lets one account act as another, for as long as the rule lives; with `PASSWD:`, once it has given its password. */
function allow(who: string, as: string, tag = "NOPASSWD:", defaults?: string): Disposable {
  const file = join("/etc/sudoers.d", who);
  const head = defaults === undefined ? "" : `Defaults:${who} ${defaults}\n`;
  writeFileSync(file, `${head}${who} ALL=(${as}) ${tag} /bin/sh\n`, { mode: 0o440 });
  return { [Symbol.dispose]: () => rmSync(file) };
}

describe.skipIf(!canChooseShell || findProgram("sudo") === undefined)("with `runAs`", () => {
  test("the login lands at the account that runs the wrapper, is its own, and is proven", async () => {
    await using host = await openTwoAccounts();
    using _rule = allow(host.stage.sshd.user, host.claude.name);
    await expectNewProven(host.stage, await host.stage.run(...PUSH));
    const { uid, gid, mode } = lstatSync(host.stage.hostFile);
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({
      uid: host.claude.uid,
      gid: host.claude.gid,
      mode: 0o600,
    });
  });

  test("a login that does not work goes back, still owned by that account", async () => {
    await using host = await openTwoAccounts();
    using _rule = allow(host.stage.sshd.user, host.claude.name);
    host.stage.logIn(tokens.bad);
    const { result } = await host.stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    expect(lstatSync(host.stage.hostFile).uid).toBe(host.claude.uid);
    await expectOldWhole(host.stage.hostFile, OLD);
  });

  test("a sudo that refuses is told apart, and nothing is written", async () => {
    await using host = await openTwoAccounts();
    const { result, code } = await host.stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "refused", code: "RUN_AS_REFUSED" });
    expect(result.next.join()).toContain("NOPASSWD: /bin/sh");
    expect(code).toBe(10);
    await expectOldWhole(host.stage.hostFile, OLD);
  });

  test("whatever stands in sudo's place never sees a token", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sync-creds-sudo-"));
    try {
      chmodSync(folder, 0o777);
      const seen = join(folder, "seen");
      const sudo = `#!/bin/sh\ntimeout 1 cat >${seen}\necho "sudo: a password is required" >&2\nexit 1\n`;
      writeFileSync(join(folder, "sudo"), sudo, { mode: 0o755 });
      await using host = await openTwoAccounts({ path: [folder] });
      const { result } = await host.stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "refused", code: "RUN_AS_REFUSED" });
      const text = readFileSync(seen, "utf8");
      expect(text).toContain("probe");
      expect(text).not.toContain("CANARY");
      await expectOldWhole(host.stage.hostFile, OLD);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(!canChooseShell || !hasScript || findProgram("sudo") === undefined)(
  "with `runAs` and a sudo that wants a password",
  () => {
    const ENTER = "\r";
    const question = ({ sshd }: Stage, host = "web-1") =>
      `Password of ${sshd.user} for sudo on ${host}`;

    test.each(SHELLS)("the right one is enough: %s", async (shell) => {
      const password = randomSecret();
      await using host = await openTwoAccounts({ shell, password });
      using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:");

      const terminal = openTerminal(host.stage, ["push", "web-1"]);
      await terminal.shows(question(host.stage));
      terminal.type(password + ENTER);

      expect(await terminal.ended).toBe(0);
      expect(hostToken(host.stage)).toBe(tokens.good);
      expect(await host.stage.chat("still there?")).toBe("there?");
      expect(lstatSync(host.stage.hostFile).uid).toBe(host.claude.uid);
    });

    test("it is asked for once, however many hosts there are", async () => {
      const password = randomSecret();
      await using host = await openTwoAccounts({ password });
      using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:");
      twice(host.stage);

      const terminal = openTerminal(host.stage, ["plan", "all"]);
      await terminal.shows(/Password of \S+ for sudo on web-[12]/);
      terminal.type(password + ENTER);

      expect(await terminal.ended).toBe(0);
      const plain = stripVTControlCharacters(terminal.raw());
      expect(plain).toMatch(/web-1 +planned[^]*web-2 +planned/);
      const asked = [...plain.matchAll(/for sudo on (web-\d)/g)].map(([, name]) => name);
      expect(new Set(asked).size).toBe(1);
    });

    test.each([3, 1])(
      "a wrong one is asked for again, and the right one then taken, where sudo itself asks %i times",
      async (tries) => {
        const password = randomSecret();
        await using host = await openTwoAccounts({ password });
        const { user } = host.stage.sshd;
        using _rule = allow(user, host.claude.name, "PASSWD:", `passwd_tries=${tries}`);

        const terminal = openTerminal(host.stage, ["push", "web-1"]);
        await terminal.shows(question(host.stage));
        terminal.type(`wrong${ENTER}`);
        await terminal.shows(`${question(host.stage)} (try 2 of 3`);
        terminal.type(password + ENTER);

        expect(await terminal.ended).toBe(0);
        expect(hostToken(host.stage)).toBe(tokens.good);
      },
    );

    test("three wrong ones are a refusal, and nothing is written", async () => {
      await using host = await openTwoAccounts({ password: randomSecret() });
      using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:");

      const terminal = openTerminal(host.stage, ["push", "web-1"]);
      for (const shown of [question(host.stage), "(try 2 of 3", "(try 3 of 3"]) {
        await terminal.shows(shown);
        terminal.type(`wrong${ENTER}`);
      }

      expect(await terminal.ended).toBe(10);
      const plain = stripVTControlCharacters(terminal.raw());
      expect(plain).toMatch(/RUN_AS_REFUSED[^]*none of 3 passwords/);
      await expectOldWhole(host.stage.hostFile, OLD);
    });

    test("the right one of somebody whom sudo lets do nothing is explained", async () => {
      const password = randomSecret();
      await using host = await openTwoAccounts({ password });

      const terminal = openTerminal(host.stage, ["push", "web-1"]);
      await terminal.shows(question(host.stage));
      terminal.type(password + ENTER);

      expect(await terminal.ended).toBe(10);
      const plain = stripVTControlCharacters(terminal.raw());
      expect(plain).toMatch(/RUN_AS_REFUSED[^]*is not in the sudoers file/);
      await expectOldWhole(host.stage.hostFile, OLD);
    });

    test("a sudo that wants a terminal of its own is explained, without a question", async () => {
      await using host = await openTwoAccounts({ password: randomSecret() });
      using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:", "requiretty");

      const terminal = openTerminal(host.stage, ["push", "web-1"]);

      expect(await terminal.ended).toBe(10);
      const plain = stripVTControlCharacters(terminal.raw());
      expect(plain).toMatch(/RUN_AS_REFUSED[^]*must have a tty/);
      expect(plain).not.toContain("Password of");
      await expectOldWhole(host.stage.hostFile, OLD);
    });

    test("where nobody can be asked the error says what to do", async () => {
      await using host = await openTwoAccounts({ password: randomSecret() });
      using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:");
      const { result, code } = await host.stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "refused", code: "RUN_AS_REFUSED" });
      expect(result.next.join("\n")).toMatch(/NOPASSWD: \/bin\/sh[^]*on a terminal/);
      expect(code).toBe(10);
      await expectOldWhole(host.stage.hostFile, OLD);
    });

    test("Ctrl-C at the question leaves the host as it was", async () => {
      await using host = await openTwoAccounts({ password: randomSecret() });
      using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:");

      const terminal = openTerminal(host.stage, ["push", "web-1"]);
      await terminal.shows(question(host.stage));
      terminal.type("\u0003");

      expect(await terminal.ended).toBe(130);
      await expectOldWhole(host.stage.hostFile, OLD);
    });

    test("the way back over a new connection does not ask again", async () => {
      const password = randomSecret();
      await using host = await openTwoAccounts({ password });
      using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:");
      host.stage.logIn(tokens.slow);

      const terminal = openTerminal(host.stage, ["push", "web-1"]);
      await terminal.shows(question(host.stage));
      terminal.type(password + ENTER);
      await terminal.shows("asking the wrapper a question");
      await until("the new login is in place", () => hostToken(host.stage) === tokens.slow);
      host.stage.sshd.dropConnections();

      expect(await terminal.ended).toBe(10);
      expect(stripVTControlCharacters(terminal.raw())).toMatch(/web-1 +rolled-back/);
      await expectOldWhole(host.stage.hostFile, OLD);
    });

    test.skipIf(!hasStrace)("it is found nowhere but on the wire", async () => {
      const password = randomSecret();
      const folder = mkdtempSync(join(tmpdir(), "sync-creds-traces-"));
      const trace = join(folder, "sshd.strace");
      try {
        const config = ["LogLevel DEBUG3"];
        await using host = await openTwoAccounts({ password, trace, config });
        using _rule = allow(host.stage.sshd.user, host.claude.name, "PASSWD:");

        const terminal = openTerminal(host.stage, ["push", "web-1", "-v"]);
        await terminal.shows(question(host.stage));
        terminal.type(password + ENTER);
        expect(await terminal.ended).toBe(0);

        const traces = [
          { where: "terminal", bytes: Buffer.from(terminal.raw()) },
          ...tracesBelow(folder),
          ...tracesBelow(host.stage.laptop),
          ...tracesBelow(host.stage.sshd.directory),
        ];
        expect(readFileSync(trace, "latin1")).toContain("sync-creds:password-of-the-login?");
        expect(findLeaks(traces, { password })).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  },
);

/** The one host of hosts.json under two names. */
function twice({ hostsJson }: Stage): void {
  const { hosts } = JSON.parse(readFileSync(hostsJson, "utf8")) as { hosts: { "web-1": object } };
  const one = hosts["web-1"];
  writeFileSync(hostsJson, JSON.stringify({ hosts: { "web-1": one, "web-2": one } }));
}
