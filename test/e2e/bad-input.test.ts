import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DELIVERIES, haveSecrets, secrets } from "../support/deliveries.ts";
import { expectProven, treeOf, wrapperPid } from "../support/host-state.ts";
import { hasOwnEtc } from "../support/own-etc.ts";
import { expectNoKey, openByHand, openCompose, openUnit, put, read } from "../support/shadowed.ts";
import type { Shadowed } from "../support/shadowed.ts";
import { canChooseShell, hasSshd } from "../support/sshd.ts";
import { PUSH, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const SETTINGS = ".claude/settings.json";
const HELPER = DELIVERIES["api-key by helper"];
const ENV = { ...DELIVERIES["api-key"], envFile: "~/wrapper/wrapper.env" };

/** What is wrong with a host, what hosts.json says, and how the push is refused. */
type Row = readonly [
  what: string,
  prepare: (stage: Stage) => void,
  host: object,
  code: string,
  says: string | RegExp,
];

const at = (path: string, text: string | Buffer) => (stage: Stage) => {
  put(join(stage.sshd.home, path), "");
  writeFileSync(join(stage.sshd.home, path), text);
};

const ROWS: readonly Row[] = [
  [
    "settings.json ends in the middle",
    at(SETTINGS, '{ "model": "o'),
    {},
    "TARGET_UNSAFE",
    SETTINGS,
  ],
  ["settings.json holds no object", at(SETTINGS, "[1]"), HELPER, "TARGET_UNSAFE", SETTINGS],
  [
    "settings.json is not UTF-8",
    at(SETTINGS, Buffer.from([123, 255, 125])),
    HELPER,
    "TARGET_UNSAFE",
    SETTINGS,
  ],
  [
    "settings.json is a folder",
    ({ sshd }) => mkdirSync(join(sshd.home, SETTINGS)),
    {},
    "TARGET_UNSAFE",
    SETTINGS,
  ],
  [
    "settings.json is a link, and would have to be changed",
    ({ sshd }) => {
      put(join(sshd.home, "dotfiles/settings.json"), "{}");
      symlinkSync("../dotfiles/settings.json", join(sshd.home, SETTINGS));
    },
    HELPER,
    "TARGET_UNSAFE",
    "is a symbolic link",
  ],
  [
    "the env file never closes a quote",
    at("wrapper/wrapper.env", 'A="1\nB=2\n'),
    ENV,
    "TARGET_UNSAFE",
    "wrapper/wrapper.env",
  ],
  [
    "the env file is binary",
    at("wrapper/wrapper.env", "A=1\0B\n"),
    ENV,
    "TARGET_UNSAFE",
    "wrapper/wrapper.env",
  ],
  [
    "the env file is a folder",
    ({ sshd }) => mkdirSync(join(sshd.home, "wrapper/wrapper.env")),
    ENV,
    "TARGET_UNSAFE",
    "wrapper/wrapper.env",
  ],
  [
    "the unit does not exist",
    () => {},
    { restart: { kind: "systemd", unit: "claude-wraper.service" } },
    "RESTART_FAILED",
    "claude-wraper.service",
  ],
  [
    "the compose service does not exist",
    () => {},
    { restart: { kind: "docker-compose", directory: "~/wrapper", service: "ap" } },
    "RESTART_FAILED",
    "compose service ap",
  ],
  [
    "the compose folder does not exist",
    () => {},
    { restart: { kind: "docker-compose", directory: "~/wraper", service: "api" } },
    "RESTART_FAILED",
    "wraper",
  ],
];

describe.skipIf(!hasSshd)("a push is refused, and nothing is changed, when", () => {
  test.each(ROWS)("%s", async (_, prepare, entry, code, says) => {
    await using host = await openByHand(prepare);
    const { stage } = host;
    haveSecrets(stage, true);
    stage.configure({ ...entry });
    const before = treeOf(stage.sshd.home);
    const pid = await wrapperPid(stage);

    const ended = await stage.run(...PUSH);

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code });
    expect(`${ended.result.what} ${ended.result.why}`).toMatch(says);
    expect(ended.result.next.length).toBeGreaterThan(0);
    expectNoKey(ended);
    expect(treeOf(stage.sshd.home)).toEqual(before);
    expect(await wrapperPid(stage)).toBe(pid);
  });

  test.skipIf(!canChooseShell).each([
    ["settings.json", SETTINGS, {}],
    ["the env file", "wrapper/wrapper.env", ENV],
  ])("%s cannot be read by the wrapper's account", async (_, path, entry) => {
    await using host = await openByHand(() => {}, { sshd: { shell: "/bin/sh" } });
    const { stage } = host;
    haveSecrets(stage, true);
    stage.configure({ ...entry });
    const file = join(stage.sshd.home, path);
    put(file, "{}", 0o600);
    const before = treeOf(stage.sshd.home);

    const { result } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
    expect(result.what).toContain(path);
    expect(result.why).toMatch(/cannot (?:be )?read/);
    expect(treeOf(stage.sshd.home)).toEqual(before);
  });

  test("a drop-in of that name is somebody else's", async () => {
    const path = ".config/systemd/user/claude-wrapper.service.d/zz-sync-creds.conf";
    await using host: Shadowed = await openUnit(() => ({ [path]: "[Service]\nEnvironment=A=1\n" }));
    await expectRefused(host, DELIVERIES["api-key"], "zz-sync-creds.conf");
  });

  test("an override of that name is somebody else's", async () => {
    const path = "wrapper/compose.override.yaml";
    await using host = await openCompose(
      () => ({ [path]: "services:\n  api:\n    tty: true\n" }),
      "",
    );
    await expectRefused(host, DELIVERIES["api-key"], "compose.override.yaml");
  });
});

async function expectRefused({ stage }: Shadowed, entry: object, says: string): Promise<void> {
  haveSecrets(stage, true);
  stage.configure({ ...entry });
  const before = treeOf(stage.sshd.home);
  const { result } = await stage.run(...PUSH);
  expect(result).toMatchObject({ outcome: "refused", code: "TARGET_UNSAFE" });
  expect(result.what).toContain(says);
  expect(result.why).toContain("not one that sync-creds wrote");
  expect(treeOf(stage.sshd.home)).toEqual(before);
}

describe.skipIf(!hasSshd)("a push is not kept from its work by", () => {
  test("a settings.json that is a link, and needs no change", async () => {
    await using host = await openByHand(({ sshd }) => {
      put(join(sshd.home, "dotfiles/settings.json"), '{"model":"opus"}');
      mkdirSync(join(sshd.home, ".claude"), { recursive: true });
      symlinkSync("../dotfiles/settings.json", join(sshd.home, SETTINGS));
    });
    const ended = await host.stage.run(...PUSH);
    await expectProven(host.stage, ended, tokens.good);
  });

  test("settings of the project that nobody can read: the plan says so, the answer decides", async () => {
    const path = "wrapper/.claude/settings.json";
    await using host = await openByHand(at(path, "{ not json"));
    const { stage } = host;

    const { result } = await stage.run("plan", "web-1", "--json");
    const ended = await stage.run(...PUSH);

    expect(result.plan?.join("\n")).toContain(
      `${join(stage.sshd.home, path)}: Claude Code cannot read it`,
    );
    await expectProven(stage, ended, tokens.good);
    expect(read(stage, path)).toBe("{ not json");
  });

  test.skipIf(!hasOwnEtc)("managed settings that nobody can read", async () => {
    const path = "claude-code/managed-settings.json";
    await using host = await openByHand(({ sshd }) => put(join(sshd.etc, path), "{"), {
      sshd: { ownEtc: true },
    });
    const ended = await host.stage.run(...PUSH);
    await expectProven(host.stage, ended, tokens.good);
  });

  test("an env file that holds more: only its one line is set, the rest stays byte for byte", async () => {
    await using host = await openByHand(
      (stage) => {
        put(join(stage.directory, "wrapper.env"), "A=1\n");
        put(join(stage.directory, "start.sh"), `set -a\n. ./wrapper.env\n${stage.command}\n`);
      },
      {
        host: {
          ...ENV,
          restart: { kind: "process", directory: "~/wrapper", command: "exec sh start.sh" },
        },
      },
    );
    const { stage } = host;
    put(join(stage.directory, "wrapper.env"), "# mine\nA='1'\nANTHROPIC_API_KEY=old\nB=2");
    haveSecrets(stage, true);

    const { result } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "verified" });
    expect(read(stage, "wrapper/wrapper.env")).toBe(
      `# mine\nA='1'\nANTHROPIC_API_KEY=${secrets.key}\nB=2`,
    );
  });
});
