import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../src/credentials/fingerprint.ts";
import { Secret } from "../../src/secret.ts";
import { backupsOf, expectSettled, hostToken, readHostFile } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage, StageOptions } from "../support/stage.ts";

const KEY = "sk-ant-api03-GOOD-CANARY-0001";
const keyPrint = fingerprintOf(new Secret(KEY));
const loginPrint = fingerprintOf(new Secret(tokens.good));
const PUSH = ["push", "web-1", "--json"] as const;
const OVER = ["failover", "web-1", "--json"] as const;
const BACK = ["failover", "web-1", "--back", "--json"] as const;

/** A host whose wrapper starts a Claude that takes the helper before the file, and a key for the day it is needed. */
async function openHybrid({ host = {}, ...more }: StageOptions = {}): Promise<Stage> {
  const stage = await openStage({
    hostFile: renderHostLogin(tokens.other),
    wrapperArguments: ["--claude", "claude.mjs"],
    host: { backup: "api-key", apiKey: { file: "./key" }, ...host },
    running: true,
    ...more,
  });
  writeFileSync(join(stage.laptop, "key"), `${KEY}\n`, { mode: 0o600 });
  return stage;
}

const settingsOf = ({ hostFile }: Stage) => join(dirname(hostFile), "settings.json");
const keyOf = ({ hostFile }: Stage) => join(dirname(hostFile), ".sync-creds/api-key");

/** The login dies on the host, and on the laptop. */
function killLogins(stage: Stage): void {
  writeFileSync(stage.hostFile, renderHostLogin(tokens.bad), { mode: 0o600 });
  rmSync(stage.laptopFile);
  rmSync(join(stage.laptop, "key"));
}

describe.skipIf(!hasSshd)("a failover", () => {
  test("puts the wrapper on the key that lies there, without any login on the laptop, and back", async () => {
    await using stage = await openHybrid();
    expect((await stage.run(...PUSH)).result).toMatchObject({
      outcome: "verified",
      fingerprint: loginPrint,
    });
    const pushed = readHostFile(stage);
    killLogins(stage);
    const dead = readHostFile(stage);
    expect(await stage.chat("say pong")).toContain("401");

    const over = await stage.run(...OVER);

    expect(over.result).toMatchObject({ outcome: "verified", fingerprint: keyPrint });
    expect(over.code).toBe(0);
    expect(await stage.chat("say pong")).toBe("pong");
    expect(readHostFile(stage)).toBe(dead);
    expect(JSON.stringify(over)).not.toContain("CANARY");
    expectSettled(stage);
    expect((await stage.run(...OVER)).result.outcome).toBe("unchanged");

    const tooEarly = await stage.run(...BACK);
    expect(tooEarly.result).toMatchObject({
      outcome: "rolled-back",
      code: "token-invalid",
      state: "back on the backup API key, and answering again",
    });
    expect(await stage.chat("say pong")).toBe("pong");

    writeFileSync(stage.hostFile, pushed ?? "", { mode: 0o600 });
    const back = await stage.run(...BACK);
    expect(back.result).toMatchObject({ outcome: "verified", fingerprint: loginPrint });
    expect(JSON.parse(readFileSync(settingsOf(stage), "utf8"))).toEqual({});
    expect(readFileSync(keyOf(stage), "utf8")).toBe(`${KEY}\n`);
    expect(readHostFile(stage)).toBe(pushed);
    expect((await stage.run(...BACK)).result.outcome).toBe("unchanged");
  });

  test("is shown by plan, and ended by the next push, which says so", async () => {
    await using stage = await openHybrid();
    await stage.run(...PUSH);
    await stage.run(...OVER);

    const plan = await stage.run("plan", "web-1", "--json");
    expect(plan.result.plan).toContain(`failed over to API key ${keyPrint}`);
    expect(plan.result.plan).toContain(`this ends the failover to API key ${keyPrint}`);
    expect(existsSync(settingsOf(stage))).toBe(true);

    const ended = await stage.run("push", "web-1");

    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain(`web-1: this ends the failover to API key ${keyPrint}`);
    expect(JSON.parse(readFileSync(settingsOf(stage), "utf8"))).toEqual({});
    expect(hostToken(stage)).toBe(tokens.good);
    const later = await stage.run("plan", "web-1", "--json");
    expect(later.result.plan?.join("\n")).not.toContain("failed over");
  });

  test("leaves the settings that were there as they were", async () => {
    await using stage = await openHybrid();
    const settings = `{ "model" :"opus",\r\n\t"permissions":{"allow":["Bash(ls)"]}}\r\n`;
    writeFileSync(settingsOf(stage), settings, { mode: 0o644 });
    await stage.run(...PUSH);

    expect((await stage.run(...OVER)).result.outcome).toBe("verified");
    expect(readFileSync(settingsOf(stage), "utf8")).toContain("apiKeyHelper");
    expect((await stage.run(...BACK)).result.outcome).toBe("verified");
    expect(readFileSync(settingsOf(stage), "utf8")).toBe(settings);
  });

  test("goes back where the key is refused", async () => {
    await using stage = await openHybrid();
    writeFileSync(join(stage.laptop, "key"), "sk-ant-api03-BAD-CANARY-0002\n", { mode: 0o600 });
    await stage.run(...PUSH);

    const ended = await stage.run(...OVER);

    expect(ended.result).toMatchObject({
      outcome: "rolled-back",
      code: "external-key-invalid",
      state: "back on its login, and answering again",
    });
    expect(existsSync(settingsOf(stage))).toBe(false);
    expect(await stage.chat("say pong")).toBe("pong");
  });

  test("names what outranks the key, and removes it when told", async () => {
    await using stage = await openHybrid();
    await stage.run(...PUSH);
    const env = { ANTHROPIC_AUTH_TOKEN: "CANARY-BAD-token" };
    writeFileSync(settingsOf(stage), JSON.stringify({ env }), { mode: 0o600 });

    const refused = await stage.run(...OVER);
    expect(refused.result).toMatchObject({ outcome: "refused", code: "SHADOWED" });
    expect(refused.result.why).toContain("ANTHROPIC_AUTH_TOKEN");

    const cleared = await stage.run(...OVER, "--clear-shadows");
    expect(cleared.result).toMatchObject({ outcome: "verified", fingerprint: keyPrint });
    expect(await stage.chat("say pong")).toBe("pong");
  });

  test("of a setup token in the environment comes back to that token", async () => {
    const token = "sk-ant-oat01-CANARYgood-setup-0009";
    await using stage = await openHybrid({
      host: { delivery: "setup-token", place: "env", token: { file: "./token" } },
    });
    writeFileSync(join(stage.laptop, "token"), `${token}\n`, { mode: 0o600 });
    expect((await stage.run(...PUSH)).result.outcome).toBe("verified");
    rmSync(join(stage.laptop, "token"));

    expect((await stage.run(...OVER)).result).toMatchObject({
      outcome: "verified",
      fingerprint: keyPrint,
    });
    const back = await stage.run(...BACK);

    expect(back.result).toMatchObject({
      outcome: "verified",
      fingerprint: fingerprintOf(new Secret(token)),
    });
    expect(await stage.chat("say pong")).toBe("pong");
  });

  test("helps a host with a login of its own, too", async () => {
    await using stage = await openHybrid({ host: { delivery: "own-login" } });
    expect((await stage.run(...PUSH)).result.outcome).toBe("verified");
    expect(readFileSync(keyOf(stage), "utf8")).toBe(`${KEY}\n`);
    const login = readHostFile(stage);
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");

    expect((await stage.run(...OVER)).result).toMatchObject({
      outcome: "verified",
      fingerprint: keyPrint,
    });
    expect((await stage.run(...BACK)).result.outcome).toBe("verified");
    expect(JSON.parse(readFileSync(settingsOf(stage), "utf8"))).toEqual({});
    expect(readHostFile(stage)).toBe(login);
  });
});

describe.skipIf(!hasSshd)("a failover is refused", () => {
  test("where no key lies ready yet", async () => {
    await using stage = await openHybrid();
    mkdirSync(dirname(settingsOf(stage)), { recursive: true });
    const ended = await stage.run(...OVER);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "BACKUP_UNKNOWN" });
    expect(ended.result.what).toBe("no API key lies ready on the host");
    expect(backupsOf(stage)).toEqual([]);
  });

  test("where hosts.json names no backup, before any connection", async () => {
    await using stage = await openStage();
    const ended = await stage.run(...OVER);
    expect(ended.code).toBe(3);
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: "CONFIG_INVALID" } });
    expect(stage.sshd.log()).not.toContain("Connection from");
  });
});
