import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectProven, treeOf, wrapperPid } from "../support/host-state.ts";
import { expectNoTraces } from "../support/promises.ts";
import {
  BAD_KEY,
  absolute,
  expectNoKey,
  keys,
  openByHand,
  openCompose,
  openUnit,
  put,
  read,
} from "../support/shadowed.ts";
import type { Shadowed } from "../support/shadowed.ts";
import { hasSshd } from "../support/sshd.ts";
import { CLEAR, PUSH, tokens } from "../support/stage.ts";

/** Where a key may stand, and what its cure changes there. */
interface Place {
  readonly open: (key: string) => Promise<Shadowed>;
  /** How `why` names it. */
  readonly says: string;
  /** The file that the cure edits, below the home, and its text before and after; without one, files stay. */
  readonly edits?: { readonly path: string; before(key: string): string; readonly after: string };
  /** The file of ours that the cure brings. */
  readonly brings?: string;
}

const named = (name: string, path: string, line: number) => `${name} in ~/${path}, line ${line}`;
const file = (path: string, text: string) => ({
  path,
  before: (key: string) => text.replace("%KEY%", key),
});

function settings(path: string): Place {
  const before = (key: string) =>
    `{\n\t"model" : "sonnet",\n  "env": { "A": "1",  "ANTHROPIC_API_KEY": "${key}" },\n  "x": [1,  2]\n}\n`;
  const after = '{\n\t"model" : "sonnet",\n  "env": { "A": "1" },\n  "x": [1,  2]\n}\n';
  return {
    open: (key) => openByHand(({ sshd }) => put(join(sshd.home, path), before(key))),
    says: named("ANTHROPIC_API_KEY", path, 3),
    edits: { path, before, after },
  };
}

function helper(path: string): Place {
  const before = (key: string) =>
    `{\r\n  "apiKeyHelper": "echo ${key}",\r\n  "model" : "sonnet"\r\n}`;
  return {
    open: (key) => openByHand(({ sshd }) => put(join(sshd.home, path), before(key))),
    says: named("apiKeyHelper", path, 2),
    edits: { path, before, after: '{\r\n  "model" : "sonnet"\r\n}' },
  };
}

const DROP_IN = `.config/systemd/user/claude-wrapper.service.d`;
const ENV_FILE = file("wrapper/wrapper.env", "# mine\nA=1\nANTHROPIC_API_KEY='%KEY%'\nB = 2");

const DOT_ENV = file("wrapper/.env", 'A=1\nANTHROPIC_API_KEY="%KEY%" # mine\nB=2\n');
const COMPOSE_ENV = file("wrapper/wrapper.env", "A=1\nANTHROPIC_API_KEY=%KEY%\nB=2\n");
const START = "exec sh start.sh";

const PLACES: Record<string, Place> = {
  "the environment of a process that was started by hand": {
    open: (key) => openByHand(() => {}, { byHand: { environment: { ANTHROPIC_API_KEY: key } } }),
    says: "ANTHROPIC_API_KEY in the wrapper's environment",
  },
  ".profile, which a process is started with": {
    open: (key) =>
      openByHand(
        ({ sshd }) => put(join(sshd.home, ".profile"), `export ANTHROPIC_API_KEY=${key}\n`),
        { byHand: { login: true } },
      ),
    says: named("ANTHROPIC_API_KEY", ".profile", 1),
  },
  "Environment= of a unit": {
    open: (key) =>
      openUnit(
        () => ({}),
        () => `Environment="ANTHROPIC_API_KEY=${key}" B=2`,
      ),
    says: named("ANTHROPIC_API_KEY", ".config/systemd/user/claude-wrapper.service", 5),
    brings: `${DROP_IN}/zz-sync-creds.conf`,
  },
  "a drop-in of a unit": {
    open: (key) =>
      openUnit(() => ({
        [`${DROP_IN}/50-key.conf`]: `[Service]\nEnvironment=A=1 ANTHROPIC_API_KEY=${key}\n`,
      })),
    says: named("ANTHROPIC_API_KEY", `${DROP_IN}/50-key.conf`, 2),
    brings: `${DROP_IN}/zz-sync-creds.conf`,
  },
  "EnvironmentFile= of a unit": {
    open: (key) =>
      openUnit(
        () => ({ [ENV_FILE.path]: ENV_FILE.before(key) }),
        ({ directory }) => `EnvironmentFile=-${directory}/wrapper.env`,
      ),
    says: named("ANTHROPIC_API_KEY", "wrapper/wrapper.env", 3),
    brings: `${DROP_IN}/zz-sync-creds.conf`,
  },
  "the user's settings.json": settings(".claude/settings.json"),
  "the project's settings.json": settings("wrapper/.claude/settings.json"),
  "settings.local.json": settings("wrapper/.claude/settings.local.json"),
  "apiKeyHelper of the user": helper(".claude/settings.json"),
  "apiKeyHelper of the project": helper("wrapper/.claude/settings.json"),
  "apiKeyHelper of settings.local.json": helper("wrapper/.claude/settings.local.json"),
  ".env in the wrapper's folder": {
    open: (key) =>
      openByHand(
        (stage) => {
          put(join(stage.directory, ".env"), DOT_ENV.before(key));
          put(join(stage.directory, "start.sh"), `set -a\n. ./.env\n${stage.command}\n`);
          stage.configure({ restart: { kind: "process", directory: "~/wrapper", command: START } });
        },
        { byHand: { command: START } },
      ),
    says: named("ANTHROPIC_API_KEY", "wrapper/.env", 2),
    edits: { ...DOT_ENV, after: "A=1\nB=2\n" },
  },
  "an env file of docker compose": {
    open: (key) =>
      openCompose(
        () => ({ [COMPOSE_ENV.path]: COMPOSE_ENV.before(key) }),
        "    env_file: [wrapper.env]",
      ),
    says: named("ANTHROPIC_API_KEY", "wrapper/wrapper.env", 2),
    edits: { ...COMPOSE_ENV, after: "A=1\nB=2\n" },
  },
};

describe.skipIf(!hasSshd).each(Object.entries(PLACES))("a key in %s", (_, place) => {
  test("is named before any change, and removed with --clear-shadows", async () => {
    await using host = await place.open(keys.bad);
    const { stage } = host;
    expect(await stage.chat("say pong")).toBe(BAD_KEY);
    const before = treeOf(stage.sshd.home);

    const planned = await stage.run("plan", "web-1", "--json");
    const refused = await stage.run(...PUSH);

    for (const ended of [planned, refused]) {
      expect(ended.code).toBe(10);
      expect(ended.result).toMatchObject({ outcome: "refused", code: "SHADOWED" });
      expect(ended.result.why).toContain(absolute(place.says, stage));
      expect(ended.result.next.join("\n")).toContain("sync-creds push web-1 --clear-shadows");
      expectNoKey(ended);
    }
    expect(planned.result.plan?.join("\n")).toContain(place.says.split(" ")[0]);
    expect(treeOf(stage.sshd.home)).toEqual(before);

    const cured = await stage.run(...CLEAR);

    expectNoKey(cured);
    await expectProven(stage, cured, tokens.good);
    if (place.edits !== undefined) expect(read(stage, place.edits.path)).toBe(place.edits.after);
    if (place.brings !== undefined) {
      expect(read(stage, place.brings)).toContain("\nUnsetEnvironment=ANTHROPIC_API_KEY\n");
    }
    const pid = await wrapperPid(stage);
    const again = await stage.run(...PUSH);
    expect(again.result).toMatchObject({ outcome: "unchanged" });
    expect(await wrapperPid(stage)).toBe(pid);
  });

  test("is back, byte for byte, when the login fails", async () => {
    await using host = await place.open(keys.good);
    const { stage } = host;
    stage.logIn(tokens.alsoBad);
    const before = read(stage, ".claude/.credentials.json");
    expect(await stage.chat("say pong")).toBe("pong");

    const ended = await stage.run(...CLEAR);

    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "token-invalid" });
    expect(ended.result.state).toContain("answering again");
    expectNoKey(ended);
    expect(read(stage, ".claude/.credentials.json")).toBe(before);
    if (place.edits !== undefined) {
      expect(read(stage, place.edits.path)).toBe(place.edits.before(keys.good));
    }
    if (place.brings !== undefined)
      expect(existsSync(join(stage.sshd.home, place.brings))).toBe(false);
    expect(await stage.chat("say pong")).toBe("pong");
    await expectNoTraces(join(stage.sshd.home, ".claude"));
  });
});
