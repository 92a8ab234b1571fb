import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { entryOf, expectOldFile, expectSettled, hostToken } from "../support/host-state.ts";
import { canChooseShell, hasSshd, keysOnRecord } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";

const old = renderHostLogin(tokens.bad);
const ENTER = "\r";

describe.skipIf(!hasSshd || !hasScript)("on a terminal", () => {
  test("one live line per host shows what is going on, then the table in colour", async () => {
    await using stage = await openStage({
      hostFile: old,
      wrapperArguments: ["--answer-ms", "300"],
      running: true,
    });

    const terminal = openTerminal(stage, ["push", "web-1"]);

    await terminal.shows("web-1  asking the wrapper a question");
    await terminal.shows(/web-1  verified \(\d+\.\d s\)/);
    expect(await terminal.ended).toBe(0);
    expect(terminal.raw()).toContain("\u001b[32mverified");
    expect(hostToken(stage)).toBe(tokens.good);
    expectSettled(stage);
  });

  test("lines are live also where only the result goes through a pipe (`| tee log`)", async () => {
    await using stage = await openStage({
      hostFile: old,
      wrapperArguments: ["--answer-ms", "300"],
      running: true,
    });

    const terminal = openTerminal(stage, ["push", "web-1"], {}, "tee log");

    await terminal.shows("web-1  asking the wrapper a question");
    await terminal.shows(/web-1  verified \(\d+\.\d s\)/);
    expect(await terminal.ended).toBe(0);
    const log = readFileSync(join(stage.laptop, "log"), "utf8");
    expect(log).toMatch(/^HOST +OUTCOME .*\nweb-1 +verified .*\n$/);
  });

  test.each([
    ["NO_COLOR", { NO_COLOR: "1" }],
    ["TERM=dumb", { TERM: "dumb" }],
  ])("%s is obeyed", async (name, env) => {
    await using stage = await openStage({ hostFile: old, running: true });

    const terminal = openTerminal(stage, ["push", "web-1"], env);

    expect(await terminal.ended).toBe(0);
    // oxlint-disable-next-line no-control-regex -- colours are what it looks for
    expect(terminal.raw()).not.toMatch(/\u001b\[(?:\d+;)*[349]\d(?:;\d+)*m/);
    if (name === "TERM=dumb") expect(terminal.raw()).not.toContain("\u001b");
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test("without a target the hosts are offered, and only the one picked is pushed to", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const entry = entryOf(stage);
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-0": entry, "web-1": entry } }));

    const terminal = openTerminal(stage, ["push"]);
    await terminal.shows("Push to which hosts?");
    await terminal.shows("web-0");
    terminal.type("\u001b[B "); // down, then pick
    await terminal.shows(/◉ *web-1/);
    terminal.type(ENTER);

    expect(await terminal.ended).toBe(0);
    const plain = stripVTControlCharacters(terminal.raw());
    expect(plain).toMatch(/web-1 +verified/);
    expect(plain).not.toMatch(/web-0 +(verified|unchanged|refused)/);
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test("Ctrl-C at the picker ends with 130 and no connection", async () => {
    await using stage = await openStage({ hostFile: old });

    const terminal = openTerminal(stage, ["push"]);
    await terminal.shows("Push to which hosts?");
    terminal.type("\u0003");

    expect(await terminal.ended).toBe(130);
    expect(stage.sshd.log()).not.toContain("Connection from");
    expectOldFile(stage, old);
  });

  test("`all` is asked about, with what would change; no is the default, and changes nothing", async () => {
    await using stage = await openStage({ hostFile: old });

    const terminal = openTerminal(stage, ["push", "all"]);
    await terminal.shows(/\.credentials\.json: [0-9a-f]{8} → [0-9a-f]{8}/);
    await terminal.shows(/Push [0-9a-f]{8} to web-1\?/);
    terminal.type(ENTER);

    expect(await terminal.ended).toBe(130);
    expect(existsSync(join(dirname(stage.hostFile), ".sync-creds"))).toBe(false);
    expectOldFile(stage, old);
  });
});

describe.skipIf(!canChooseShell || !hasScript)("a password on a terminal", () => {
  test("is no longer asked for when the host has stopped waiting for it", async () => {
    await using stage = await openStage({
      sshd: {
        shell: "/bin/sh",
        password: "CANARY-password",
        config: ["PasswordAuthentication yes", "PubkeyAuthentication no", "LoginGraceTime 1"],
      },
    });

    const terminal = openTerminal(stage, ["push", "web-1"]);
    await terminal.shows("Password of web-1");

    expect(await terminal.ended).toBe(12);
    expect(stripVTControlCharacters(terminal.raw())).toMatch(/web-1 +unreachable/);
  });
});

describe.skipIf(!hasSshd || !hasScript)("an unknown host key on a terminal", () => {
  test("is shown, and after a yes recorded; the push goes on", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const knownHosts = forgetHostKey(stage);

    const terminal = openTerminal(stage, ["push", "web-1"]);
    await terminal.shows(stage.sshd.hostKeys[0]?.fingerprint ?? "?");
    await terminal.shows("Is this the key of");
    terminal.type("y");
    terminal.type(ENTER);

    expect(await terminal.ended).toBe(0);
    // Its name may be hashed: the machine's own ssh_config decides.
    const [key] = stage.sshd.hostKeys;
    expect(keysOnRecord(knownHosts, stage.sshd.port)).toEqual([
      `${key?.type} ${key?.blob.toString("base64")}`,
    ]);
    expect(hostToken(stage)).toBe(tokens.good);
    const again = await stage.run("push", "web-1", "--json");
    expect(again.result.outcome).toBe("unchanged");
  });

  test("is refused after a no: no login is tried, nothing recorded", async () => {
    await using stage = await openStage({ hostFile: old });
    const knownHosts = forgetHostKey(stage);

    const terminal = openTerminal(stage, ["push", "web-1"]);
    await terminal.shows("Is this the key of");
    terminal.type(ENTER);

    expect(await terminal.ended).toBe(10);
    expect(stripVTControlCharacters(terminal.raw())).toMatch(/web-1 +refused/);
    expect(existsSync(knownHosts)).toBe(false);
    expect(stage.sshd.log()).not.toMatch(/Accepted|Failed|publickey/);
    expectOldFile(stage, old);
  });

  test("Ctrl-C at the question ends the run: no other host's question follows", async () => {
    await using stage = await openStage({ hostFile: old });
    forgetHostKey(stage);
    const entry = entryOf(stage);
    const other = { ...entry, ssh: `${stage.sshd.user}@localhost:${stage.sshd.port}` };
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-0": other, "web-1": entry } }));

    const terminal = openTerminal(stage, ["push", "web-*"]);
    await terminal.shows("Is this the key of");
    terminal.type("\u0003");

    expect(await terminal.ended).toBe(130);
    const plain = stripVTControlCharacters(terminal.raw());
    expect(new Set(plain.match(/Is this the key of \S+/g)).size).toBe(1);
    expect(plain).toMatch(/web-0 +not-attempted/);
    expect(plain).toMatch(/web-1 +not-attempted/);
    expectOldFile(stage, old);
  });

  test("is refused without a question where nobody can answer", async () => {
    await using stage = await openStage({ hostFile: old });
    const knownHosts = forgetHostKey(stage);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "HOST_KEY_UNKNOWN" });
    expect(existsSync(knownHosts)).toBe(false);
    expectOldFile(stage, old);
  });

  /** From now on the laptop knows no host; the file that it would record one in. */
  function forgetHostKey(stage: Stage): string {
    const knownHosts = join(stage.laptop, "ssh", "known_hosts");
    mkdirSync(join(stage.laptop, "ssh"), { mode: 0o700 });
    stage.configure({ knownHosts });
    return knownHosts;
  }
});
