import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  DELIVERIES,
  NAMES,
  haveSecrets,
  landed,
  secrets,
  walkAllPairs,
} from "../support/deliveries.ts";
import type { DeliveryName, Landed } from "../support/deliveries.ts";
import { wrapperPid } from "../support/host-state.ts";
import { expectNoKey, openByHand, openCompose, openUnit, put, read } from "../support/shadowed.ts";
import type { Shadowed } from "../support/shadowed.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const SETTINGS = '{\n\t"model" : "opus",\n  "x": [1,  2]\n}';
const DROP_IN = ".config/systemd/user/claude-wrapper.service.d/zz-sync-creds.conf";

/** A host under a supervisor, with settings of its own. */
const HOSTS: Record<string, { readonly open: () => Promise<Shadowed>; readonly wiring?: string }> =
  {
    process: {
      open: () => openByHand(({ sshd }) => put(join(sshd.home, ".claude/settings.json"), SETTINGS)),
    },
    systemd: {
      open: () => openUnit(() => ({ ".claude/settings.json": SETTINGS })),
      wiring: DROP_IN,
    },
    "docker-compose": {
      open: () => openCompose(() => ({ ".claude/settings.json": SETTINGS }), ""),
      wiring: "wrapper/compose.override.yaml",
    },
  };

const BY_SUPERVISOR = NAMES.filter((name) => name !== "full-login" && name !== "setup-token");
const WALKS: Record<string, readonly DeliveryName[]> = {
  process: walkAllPairs(NAMES),
  // What differs under these is how the variable gets there and goes: there and back through the deliveries tells it.
  systemd: [...BY_SUPERVISOR, ...BY_SUPERVISOR.toReversed()].filter(
    (name, at, all) => name !== all[at - 1],
  ),
  "docker-compose": [...BY_SUPERVISOR, "access-token"],
};

/** What shall lie there after each delivery. */
function expected(name: DeliveryName, former: Landed, hasWiring: boolean): Partial<Landed> {
  const nothing = { env: undefined, key: false, script: false, settings: SETTINGS, wired: false };
  switch (name) {
    case "access-token":
      return { ...nothing, login: "access" };
    case "full-login":
      return { ...nothing, login: "whole" };
    case "setup-token":
      return { ...nothing, login: "setup" };
    case "setup-token as variable":
      return {
        ...nothing,
        login: "none",
        env: `CLAUDE_CODE_OAUTH_TOKEN=${secrets.setupToken}\n`,
        wired: hasWiring,
      };
    case "api-key":
      return {
        ...nothing,
        login: former.login,
        env: `ANTHROPIC_API_KEY=${secrets.key}\n`,
        wired: hasWiring,
      };
    case "api-key by helper":
      return {
        ...nothing,
        login: former.login,
        key: true,
        script: true,
        settings: expect.stringMatching(
          /^\{\n\t"model" : "opus",\n {2}"x": \[1, {2}2\],\n {2}"apiKeyHelper": ".*api-key\.sh.*"\n\}$/,
        ) as string,
      };
  }
}

/** The variables of ours in the environment of the wrapper that runs. */
async function variablesOf(stage: Stage): Promise<string[]> {
  const text = readFileSync(`/proc/${await wrapperPid(stage)}/environ`, "utf8");
  return text
    .split("\0")
    .filter((line) => /^(?:ANTHROPIC_API_KEY|CLAUDE_CODE_OAUTH_TOKEN)=./.test(line));
}

describe.skipIf(!hasSshd)("switching between deliveries", () => {
  test.each(Object.keys(HOSTS))(
    "leaves nothing of the former one, under %s",
    { timeout: 400_000 },
    async (kind) => {
      const { open, wiring } = HOSTS[kind]!;
      await using host = await open();
      const { stage } = host;
      haveSecrets(stage, true);
      const walked = WALKS[kind]!;

      for (const [at, name] of walked.entries()) {
        const from = walked[at - 1];
        const former = landed(stage, wiring);
        stage.configure(DELIVERIES[name]);
        const ended = await stage.run(...PUSH);
        expect
          .soft([from, name, ended.result])
          .toEqual([from, name, expect.objectContaining({ outcome: "verified" })]);
        const there = landed(stage, wiring);
        expect(there).toEqual({
          ...there,
          ...expected(name, former, wiring !== undefined),
          kept: true,
        });
        const variable = there.env?.trim();
        expect(await variablesOf(stage)).toEqual(variable === undefined ? [] : [variable]);
        expectNoKey(ended);
      }
    },
  );
});

describe.skipIf(!hasSshd)("a variable in an env file of the user's own", () => {
  const FILE = "wrapper/wrapper.env";
  const envFile = `~/${FILE}`;
  const MINE = "# mine\nA='1'\n";

  test.each(["process", "systemd"])("goes with its delivery, under %s", async (kind) => {
    await using host =
      kind === "process"
        ? await openByHand(
            (stage) => {
              put(join(stage.sshd.home, FILE), MINE);
              put(join(stage.directory, "start.sh"), `set -a\n. ./wrapper.env\n${stage.command}\n`);
            },
            { host: { restart: { kind, directory: "~/wrapper", command: "exec sh start.sh" } } },
          )
        : await openUnit(
            () => ({ [FILE]: MINE }),
            ({ directory }) => `EnvironmentFile=${directory}/wrapper.env`,
          );
    const { stage } = host;
    haveSecrets(stage, true);
    const push = async (delivery: object) => {
      stage.configure({ envFile, ...delivery });
      const { result } = await stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "verified" });
    };

    await push(DELIVERIES["api-key"]);
    expect(read(stage, FILE)).toBe(`${MINE}ANTHROPIC_API_KEY=${secrets.key}\n`);

    await push(DELIVERIES["setup-token as variable"]);
    expect(read(stage, FILE)).toBe(`${MINE}CLAUDE_CODE_OAUTH_TOKEN=${secrets.setupToken}\n`);
    expect(await variablesOf(stage)).toEqual([`CLAUDE_CODE_OAUTH_TOKEN=${secrets.setupToken}`]);

    await push(DELIVERIES["access-token"]);
    expect(read(stage, FILE)).toBe(MINE);
    expect(await variablesOf(stage)).toEqual([]);
  });
});
