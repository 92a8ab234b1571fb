import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectProven, treeOf } from "../support/host-state.ts";
import { hasOwnEtc } from "../support/own-etc.ts";
import { modeOf } from "../support/promises.ts";
import {
  BAD_KEY,
  absolute,
  expectNoKey,
  keys,
  openByHand,
  openCompose,
  openSystemUnit,
  openUnit,
  put,
  read,
  textsOf,
} from "../support/shadowed.ts";
import type { Shadowed } from "../support/shadowed.ts";
import { hasSshd } from "../support/sshd.ts";
import { CLEAR, PUSH, tokens } from "../support/stage.ts";

describe.skipIf(!hasSshd)("several shadows at once", () => {
  const other =
    '{ "env": { "ANTHROPIC_AUTH_TOKEN": "CANARY-bearer-0023" }, "apiKeyHelper": "echo x" }\n';
  const open = (key: string) =>
    openUnit(
      () => ({
        ".claude/settings.json": other,
        "wrapper/.env": "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-CANARYBAD\n",
        ".bashrc": "export ANTHROPIC_API_KEY=sk-ant-api03-CANARY\n",
      }),
      () => `Environment=ANTHROPIC_API_KEY=${key}`,
    );

  test("are all named in the order of precedence, and what services do not read is told apart", async () => {
    await using host = await open(keys.bad);
    const { stage } = host;

    const { result } = await stage.run("plan", "web-1", "--json");

    const found = result.why?.match(
      /ANTHROPIC_AUTH_TOKEN|ANTHROPIC_API_KEY|apiKeyHelper|CLAUDE_CODE_OAUTH_TOKEN/g,
    );
    expect(found).toEqual([
      "ANTHROPIC_AUTH_TOKEN",
      "ANTHROPIC_API_KEY",
      "apiKeyHelper",
      "CLAUDE_CODE_OAUTH_TOKEN",
    ]);
    expect(result.plan).toContain(
      `ANTHROPIC_API_KEY in ${stage.sshd.home}/.bashrc, line 1 is not read by services`,
    );
    const cleared = await stage.run("plan", "web-1", "--clear-shadows", "--json");
    expect(cleared.result.plan).toContainEqual(
      expect.stringMatching(/outrank what is pushed, and will be removed$/),
    );
  });

  test("are all removed in one transaction", async () => {
    await using host = await open(keys.bad);
    const { stage } = host;

    const ended = await stage.run(...CLEAR);

    await expectProven(stage, ended, tokens.good);
    expect(read(stage, ".claude/settings.json")).toBe('{ "env": {} }\n');
    expect(read(stage, "wrapper/.env")).toBe("");
    expect(read(stage, ".bashrc")).toContain("CANARY");
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");
  });

  test("are all back when the login fails", async () => {
    await using host = await open(keys.bad);
    const { stage } = host;
    stage.logIn(tokens.alsoBad);
    const before = textsOf(stage);

    const ended = await stage.run(...CLEAR);

    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "token-invalid" });
    // They were gone when Claude refused the login: nothing else is to blame.
    expect(ended.result.why).not.toMatch(/outrank/);
    expect(textsOf(stage)).toEqual(before);
  });
});

describe.skipIf(!hasSshd)("a shadow that only a person can remove", () => {
  test.each<[string, (key: string) => Promise<Shadowed>, string]>([
    [
      "`environment` of a compose file",
      (key) => openCompose(() => ({}), `      ANTHROPIC_API_KEY: ${key}`),
      "Remove ANTHROPIC_API_KEY in ~/wrapper/compose.yaml, line 8",
    ],
    [
      "the environment of a process that your own command restarts",
      (key) =>
        openByHand((stage) => stage.configure({ restart: { kind: "command", restart: "true" } }), {
          byHand: { environment: { ANTHROPIC_API_KEY: key } },
        }),
      "Remove ANTHROPIC_API_KEY in the wrapper's environment",
    ],
    [
      "the command of hosts.json",
      (key) =>
        openByHand(
          (stage) => {
            put(join(stage.directory, "key"), key);
            const withKey = `ANTHROPIC_API_KEY=$(cat key) ${stage.command}`;
            stage.configure({
              restart: { kind: "process", directory: "~/wrapper", command: withKey },
            });
          },
          { byHand: { environment: { ANTHROPIC_API_KEY: key } } },
        ),
      "Remove ANTHROPIC_API_KEY in hosts.json",
    ],
  ])("in %s is refused, with what to do", async (_, open, next) => {
    await using host = await open(keys.bad);
    const { stage } = host;
    const before = treeOf(stage.sshd.home);

    const ended = await stage.run(...CLEAR);

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "SHADOWED" });
    expect(ended.result.next.join("\n")).toContain(absolute(next, stage));
    expect(ended.result.next.join("\n")).not.toContain("--clear-shadows");
    expectNoKey(ended);
    expect(treeOf(stage.sshd.home)).toEqual(before);
    expect(await stage.chat("say pong")).toBe(BAD_KEY);
  });

  test.skipIf(!hasOwnEtc)("in the managed settings is refused, with what to do", async () => {
    const text = JSON.stringify({ env: { ANTHROPIC_API_KEY: keys.bad } });
    await using host = await openByHand(
      ({ sshd }) => put(join(sshd.etc, "claude-code/managed-settings.json"), text),
      { sshd: { ownEtc: true } },
    );
    const { stage } = host;
    const path = "/etc/claude-code/managed-settings.json";
    expect(existsSync(path)).toBe(false);
    expect(await stage.chat("say pong")).toBe(BAD_KEY);

    for (const argv of [PUSH, CLEAR]) {
      const ended = await stage.run(...argv);
      expect(ended.result).toMatchObject({ outcome: "refused", code: "SHADOWED" });
      expect(ended.result.next).toContain(
        `Remove ANTHROPIC_API_KEY in ${path}, line 1: only you can`,
      );
      expectNoKey(ended);
    }
    expect(readFileSync(join(stage.sshd.etc, "claude-code/managed-settings.json"), "utf8")).toBe(
      text,
    );
  });
});

describe.skipIf(!hasSshd || !hasOwnEtc)("a unit of the system", () => {
  const PATH = "systemd/system/claude-wrapper.service";
  const DROPPED = `${PATH}.d/zz-sync-creds.conf`;
  const open = () => openSystemUnit(`Environment=ANTHROPIC_API_KEY=${keys.bad}`);

  test("is freed of a key by a drop-in of root, which a later push leaves alone", async () => {
    await using host = await open();
    const { stage } = host;
    expect(await stage.chat("say pong")).toBe(BAD_KEY);
    expect((await stage.run(...PUSH)).result).toMatchObject({ code: "SHADOWED" });

    const ended = await stage.run(...CLEAR);

    await expectProven(stage, ended, tokens.good);
    const dropIn = join(stage.sshd.etc, DROPPED);
    expect(readFileSync(dropIn, "utf8")).toContain("UnsetEnvironment=ANTHROPIC_API_KEY\n");
    expect(modeOf(dropIn)).toBe("644");
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");
    expect(existsSync(dropIn)).toBe(true);
  });

  test("has neither the drop-in nor its folder when the login fails", async () => {
    await using host = await open();
    const { stage } = host;
    stage.logIn(tokens.alsoBad);

    const ended = await stage.run(...CLEAR);

    expect(ended.result).toMatchObject({ outcome: "rolled-back" });
    expect(existsSync(join(stage.sshd.etc, `${PATH}.d`))).toBe(false);
    expect(await stage.chat("say pong")).toBe(BAD_KEY);
  });

  test("of root is not touched by an account without sudo: refused, nothing changed", async () => {
    await using host = await openSystemUnit(`Environment=ANTHROPIC_API_KEY=${keys.bad}`, {
      sshd: { shell: "/bin/sh", ownEtc: true },
    });
    const { stage } = host;
    const before = textsOf(stage);

    const ended = await stage.run(...CLEAR);

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
    expect(ended.result.why).toContain("sudo -n");
    expect(textsOf(stage)).toEqual(before);
    expect(existsSync(join(stage.sshd.etc, `${PATH}.d`))).toBe(false);
    expect(await stage.chat("say pong")).toBe(BAD_KEY);
  });
});
