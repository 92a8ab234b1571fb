import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../src/credentials/fingerprint.ts";
import { Secret } from "../../src/secret.ts";
import {
  backupsOf,
  expectOldFile,
  expectProven,
  readHostFile,
  treeOf,
  wrapperPid,
} from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import { until } from "../support/until.ts";

describe.skipIf(!hasSshd)("a push", () => {
  test("cures a host with a bad token, and says so with fingerprint and end of validity", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });

    const ended = await stage.run("push", "web-1");

    expect(ended.code).toBe(0);
    const fingerprint = fingerprintOf(new Secret(tokens.good));
    expect(ended.stdout).toMatch(/HOST +OUTCOME +FINGERPRINT +VALID UNTIL/);
    expect(ended.stdout).toMatch(
      new RegExp(`web-1 +verified +${fingerprint} +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d \\(in 7 h`),
    );
    const again = await stage.run("push", "web-1", "--json");
    expect(again.result.outcome).toBe("unchanged");
    expect(await stage.chat("are you well")).toBe("well");
  });

  test("keeps the host's other keys byte for byte, and brings no refresh token", async () => {
    const others =
      '  "mcpOAuth" : {"kept|by|the|host":{"accessToken":"mcp-kept","expiresAt": 1.0e3}},\n\t"future":[1,  2]';
    const before = `{\n  "claudeAiOauth": {"accessToken":"${tokens.bad}","scopes":["user:inference"]},\n${others}\n}\n`;
    await using stage = await openStage({ hostFile: before, running: true });

    const ended = await stage.run("push", "web-1", "--json");

    await expectProven(stage, ended, tokens.good);
    const after = readHostFile(stage) ?? "";
    expect(after).toContain(others);
    expect(after).not.toContain("refresh");
    expect(Object.keys((JSON.parse(after) as { claudeAiOauth: object }).claudeAiOauth)).toEqual(
      expect.arrayContaining(["accessToken", "expiresAt", "scopes"]),
    );
  });

  test("to a host that never had credentials brings the wrapper up", async () => {
    await using stage = await openStage({ running: true });

    const ended = await stage.run("push", "web-1", "--json");

    await expectProven(stage, ended, tokens.good);
  });

  test("changes nothing the second time: same process, no further backup, same file", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    await stage.run("push", "web-1");
    const backups = backupsOf(stage);
    // The verdict does not wait for the host to tidy up.
    const script = join(
      dirname(stage.hostFile),
      ".sync-creds",
      "backups",
      backups[0] ?? "",
      "script",
    );
    await until("the host has tidied up", () => !existsSync(script));
    const before = treeOf(dirname(stage.hostFile));
    const pid = await wrapperPid(stage);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(0);
    expect(ended.result.outcome).toBe("unchanged");
    expect(await wrapperPid(stage)).toBe(pid);
    expect(backups).toHaveLength(1);
    expect(backupsOf(stage)).toEqual(backups);
    expect(treeOf(dirname(stage.hostFile))).toEqual(before);
  });

  test.each([
    ["plan", ["plan", "web-1"]],
    ["push --dry-run", ["push", "web-1", "--dry-run"]],
  ])("as `%s` shows what it would do and touches nothing", async (_name, argv) => {
    const old = renderHostLogin(tokens.bad);
    await using stage = await openStage({ hostFile: old, running: true });
    const host = treeOf(stage.sshd.home);
    const laptop = treeOf(stage.laptop);

    const ended = await stage.run(...argv);

    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("planned");
    expect(ended.stdout).toContain(
      `${fingerprintOf(new Secret(tokens.bad))} → ${fingerprintOf(new Secret(tokens.good))}`,
    );
    expect(treeOf(stage.sshd.home)).toEqual(host);
    expect(treeOf(stage.laptop)).toEqual(laptop);
    expectOldFile(stage, old);
  });

  test("leaves the laptop's own login alone", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    const before = readFileSync(stage.laptopFile);

    const ended = await stage.run("push", "web-1", "--json");

    expect(readFileSync(stage.laptopFile).equals(before)).toBe(true);
    await expectProven(stage, ended, tokens.good);
  });
});
