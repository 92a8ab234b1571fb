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
import { describe, expect, test } from "vitest";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { findProgram } from "../support/programs.ts";
import { addAccount, canChooseShell } from "../support/sshd.ts";
import type { Account } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const OLD = renderHostLogin(tokens.other);

/** A host where one account logs in, and another one, with a login and a wrapper of its own, runs the wrapper. */
interface TwoAccounts extends AsyncDisposable {
  /** As seen by the account that owns the wrapper. */
  readonly stage: Stage;
  readonly claude: Account;
}

async function openTwoAccounts(path: readonly string[] = []): Promise<TwoAccounts> {
  const deploy = await openStage({ sshd: { shell: "/bin/sh", path } });
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

/** Lets one account act as another, for as long as the rule lives. */
function allow(who: string, as: string): Disposable {
  const file = join("/etc/sudoers.d", who);
  writeFileSync(file, `${who} ALL=(${as}) NOPASSWD: /bin/sh\n`, { mode: 0o440 });
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
      await using host = await openTwoAccounts([folder]);
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
