import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../src/credentials/fingerprint.ts";
import { Secret } from "../../src/secret.ts";
import { DELIVERIES, haveSecrets, secrets } from "../support/deliveries.ts";
import { entryOf, expectOldFile, readHostFile, treeOf } from "../support/host-state.ts";
import { modeOf } from "../support/promises.ts";
import { fakeSetupToken, setupFrame } from "../support/setup-token.ts";
import { openByHand } from "../support/shadowed.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, renderLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));
const DAY_MS = 24 * 3600_000;

/** `sync-creds token set NAME` on the stage's laptop, as after `claude setup-token`. */
function setToken({ laptop }: Stage, name: string, token: string): void {
  execFileSync(process.execPath, [BIN, "token", "set", name], {
    env: { HOME: laptop, PATH: process.env["PATH"], SYNC_CREDS_TOKEN_STORE: "file" },
    input: setupFrame(token),
    stdio: ["pipe", "ignore", "ignore"],
  });
}

/** Moves the issue of a stored token into the past. */
function age({ laptop }: Stage, name: string, days: number): void {
  const path = join(laptop, ".config/sync-creds/tokens/.index", `${name}.json`);
  const entry = JSON.parse(readFileSync(path, "utf8")) as { issuedAt: number };
  writeFileSync(path, JSON.stringify({ ...entry, issuedAt: entry.issuedAt - days * DAY_MS }), {
    mode: 0o600,
  });
}

describe.skipIf(!hasSshd)("a stored setup token", () => {
  const token = fakeSetupToken("s");

  test("lands as a login without refresh token that ends a year after its issue", async () => {
    await using host = await openByHand(() => {});
    const { stage } = host;
    setToken(stage, "web-1", token);
    age(stage, "web-1", 100);
    stage.configure({ delivery: "setup-token", token: { token: "web-1" } });

    const { result } = await stage.run(...PUSH);

    expect(result).toMatchObject({
      outcome: "verified",
      fingerprint: fingerprintOf(new Secret(token)),
    });
    const ends = Date.now() + 265 * DAY_MS;
    expect(Math.abs((result.validUntil ?? 0) - ends)).toBeLessThan(DAY_MS);
    expect(JSON.parse(readHostFile(stage) ?? "")).toEqual({
      claudeAiOauth: {
        accessToken: token,
        expiresAt: result.validUntil,
        scopes: ["user:inference"],
      },
      mcpOAuth: expect.anything() as object,
    });
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");
  });

  test("has no end when nobody knows when it was issued", async () => {
    await using host = await openByHand(() => {});
    const { stage } = host;
    haveSecrets(stage, true);
    stage.configure(DELIVERIES["setup-token"]);

    const { result } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "verified" });
    expect(result).not.toHaveProperty("validUntil");
    expect(readHostFile(stage)).not.toContain("expiresAt");
  });
});

describe.skipIf(!hasSshd)("a secret for another delivery", () => {
  test.each<[string, object, string, string]>([
    [
      "an OAuth token as API key",
      { delivery: "api-key", apiKey: { file: "secret" } },
      secrets.setupToken,
      "this is no API key",
    ],
    [
      "an OAuth token that a helper would print",
      { delivery: "api-key", place: "helper", apiKey: { file: "secret" } },
      secrets.setupToken,
      "this is no API key",
    ],
    [
      "a refresh token as API key",
      { delivery: "api-key", apiKey: { file: "secret" } },
      tokens.refresh,
      "this is no API key",
    ],
    [
      "an OAuth token as backup",
      { backup: "api-key", apiKey: { file: "secret" } },
      secrets.setupToken,
      "this is no API key",
    ],
    [
      "an API key as setup token",
      { delivery: "setup-token", token: { file: "secret" } },
      secrets.key,
      "this is no setup token",
    ],
    [
      "a refresh token as setup token",
      { delivery: "setup-token", token: { file: "secret" } },
      tokens.refresh,
      "this is no setup token",
    ],
  ])("%s is refused before any connection", async (_, host, secret, what) => {
    const old = renderHostLogin(tokens.bad);
    await using stage = await openStage({ hostFile: old, host: { ...host } });
    writeFileSync(join(stage.laptop, "secret"), `${secret}\n`, { mode: 0o600 });

    const ended = await stage.run(...PUSH);

    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: "SECRET_UNFIT" }, hosts: [] });
    expect(ended.stderr).toContain(what);
    expect(ended.stdout + ended.stderr).not.toContain("CANARY");
    expect(stage.sshd.log()).not.toContain("Connection from");
    expectOldFile(stage, old);
  });

  test("a setup token that is over a year old is refused before any connection", async () => {
    await using stage = await openStage();
    setToken(stage, "web-1", fakeSetupToken("o"));
    age(stage, "web-1", 366);
    stage.configure({ delivery: "setup-token", token: { token: "web-1" } });

    const ended = await stage.run(...PUSH);

    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: "SECRET_UNFIT" } });
    expect(ended.stderr).toContain("this setup token is over a year old");
    expect(stage.sshd.log()).not.toContain("Connection from");
  });
});

describe.skipIf(!hasSshd)("a host with a login of its own", () => {
  const own = renderLogin(tokens.other, { refreshToken: "sk-ant-ort01-CANARYown-0061" });

  test("is verified and nothing is written there", async () => {
    await using host = await openByHand(() => {}, { hostFile: own });
    const { stage } = host;
    stage.configure({ delivery: "own-login" });
    const before = treeOf(stage.sshd.home);

    const ended = await stage.run(...PUSH);

    expect(ended.code).toBe(0);
    expect(ended.result).toMatchObject({ outcome: "unchanged" });
    expect(ended.result).not.toHaveProperty("fingerprint");
    expect(treeOf(stage.sshd.home)).toEqual(before);
  });

  test("that does not answer fails with the next step, and nothing is written there", async () => {
    const dead = renderLogin(tokens.bad, { refreshToken: "sk-ant-ort01-CANARYown-0061" });
    await using host = await openByHand(() => {}, { hostFile: dead });
    const { stage } = host;
    stage.configure({ delivery: "own-login" });
    const before = treeOf(stage.sshd.home);

    const ended = await stage.run(...PUSH);

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "failed", code: "OWN_LOGIN_FAILED" });
    expect(ended.result.next[0]).toContain("`claude auth login`");
    expect(treeOf(stage.sshd.home)).toEqual(before);
  });
});

describe.skipIf(!hasSshd)("a backup key", () => {
  test("lies ready for its owner alone, is used by nobody, and goes when hosts.json drops it", async () => {
    await using host = await openByHand(() => {});
    const { stage } = host;
    haveSecrets(stage, true);
    stage.configure({ backup: "api-key", apiKey: { file: "api-key" } });
    const key = join(dirname(stage.hostFile), ".sync-creds/api-key");

    expect((await stage.run(...PUSH)).result).toMatchObject({
      outcome: "verified",
      fingerprint: fingerprintOf(new Secret(tokens.good)),
    });
    expect(readFileSync(key, "utf8")).toBe(`${secrets.key}\n`);
    expect(modeOf(key)).toBe("600");
    expect(existsSync(join(dirname(stage.hostFile), "settings.json"))).toBe(false);
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");

    stage.configure({});
    expect((await stage.run(...PUSH)).result.outcome).toBe("verified");
    expect(existsSync(key)).toBe(false);
    expect(entryOf(stage)).not.toHaveProperty("backup");
  });
});
