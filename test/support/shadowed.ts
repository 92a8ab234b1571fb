import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { tracesBelow } from "./canaries.ts";
import { installDocker } from "./docker.ts";
import { openStage, renderHostLogin, startWrapper, tokens } from "./stage.ts";
import type { ByHand, Ended, Stage, StageOptions } from "./stage.ts";
import { installSystemd } from "./systemd.ts";
import { until } from "./until.ts";

/** Keys that are plainly fake; the stand-in for Claude Code takes the first kind and refuses the second. */
export const keys = {
  good: "sk-ant-api03-GOOD-CANARY-key-of-the-host-0021",
  bad: "sk-ant-api03-CANARYBAD-key-of-the-host-0022",
} as const;

/** What the stand-in says to a bad key. */
export const BAD_KEY = "Invalid API key · Fix external API key";

/** A host whose wrapper asks a stand-in for Claude Code, and takes a key instead of the login on the disk. */
export interface Shadowed extends AsyncDisposable {
  readonly stage: Stage;
}

/** A stage whose wrapper starts the stand-in for Claude Code; `prepare` writes files before it is started by hand. */
export async function openByHand(
  prepare: (stage: Stage) => void,
  { byHand, ...options }: StageOptions & { readonly byHand?: ByHand } = {},
): Promise<Shadowed> {
  const stage = await openStage({
    hostFile: renderHostLogin(tokens.bad),
    wrapperArguments: ["--claude", "claude.mjs"],
    ...options,
  });
  prepare(stage);
  await startWrapper(stage, byHand);
  return { stage, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
}

const UNIT = "claude-wrapper.service";

/** The same under a user's systemd: a unit, and whatever files `prepare` says, by their path below the home. */
export async function openUnit(
  prepare: (stage: Stage) => Readonly<Record<string, string>>,
  more: (stage: Stage) => string = () => "",
  options: StageOptions = {},
): Promise<Shadowed> {
  const systemd = installSystemd();
  const restart = { kind: "systemd", unit: UNIT, scope: "user" };
  const stage = await openAsleep(
    { ...options, host: { restart, ...options.host } },
    systemd.folder,
  );
  const { home } = stage.sshd;
  put(join(home, ".config/systemd/user", UNIT), renderUnit(stage, more(stage)));
  for (const [path, text] of Object.entries(prepare(stage))) put(join(home, path), text);
  systemd.control(["--user", "start", UNIT], { HOME: home, XDG_RUNTIME_DIR: "/run/user/0" });
  return awake(stage, systemd);
}

/** The same as a unit of the system, on a host that has an /etc of its own. */
export async function openSystemUnit(more: string, options: StageOptions = {}): Promise<Shadowed> {
  const systemd = installSystemd();
  // Its /etc is the host's.
  writeFileSync(join(systemd.folder, "root.path"), "");
  const restart = { kind: "systemd", unit: UNIT };
  const sshd = { ownEtc: true, ...options.sshd };
  const stage = await openAsleep({ ...options, sshd, host: { restart } }, systemd.folder);
  const { user, etc, inside } = stage.sshd;
  const account = user === "root" ? "" : `User=${user}\n`;
  put(join(etc, "systemd/system", UNIT), renderUnit(stage, `${account}${more}`));
  const words = [...inside, join(systemd.folder, "systemctl"), "start", UNIT];
  execFileSync("env", words);
  // Any account of the host may ask systemd.
  execFileSync("chmod", ["-R", "a+rwX", systemd.folder]);
  return awake(stage, systemd);
}

function renderUnit({ sshd, directory, command }: Stage, more: string): string {
  return [
    "[Service]",
    `Environment=HOME=${sshd.home} PATH=${process.env["PATH"]}`,
    `WorkingDirectory=${directory}`,
    `ExecStart=/bin/sh -c '${command}'`,
    more,
    "",
  ].join("\n");
}

/** A stage with a bad login on the host, a wrapper that starts the stand-in, and programs in its PATH; nothing runs. */
function openAsleep(options: StageOptions, folder: string): Promise<Stage> {
  return openStage({
    hostFile: renderHostLogin(tokens.bad),
    wrapperArguments: ["--claude", "claude.mjs"],
    ...options,
    sshd: { path: [folder], ...options.sshd },
  });
}

async function awake(stage: Stage, supervisor: Disposable): Promise<Shadowed> {
  await until("the wrapper answers", async () => (await stage.chat("up?")) !== undefined);
  return {
    stage,
    async [Symbol.asyncDispose]() {
      supervisor[Symbol.dispose]();
      await stage[Symbol.asyncDispose]();
    },
  };
}

/** The same in a container of docker compose; `service` is YAML that stands below the service's `environment`. */
export async function openCompose(
  prepare: (stage: Stage) => Readonly<Record<string, string>>,
  service: string,
  options: StageOptions = {},
): Promise<Shadowed> {
  const docker = installDocker();
  const restart = { kind: "docker-compose", directory: "~/wrapper", service: "api" };
  const stage = await openAsleep({ ...options, host: { restart, ...options.host } }, docker.folder);
  for (const [path, text] of Object.entries(prepare(stage))) put(join(stage.sshd.home, path), text);
  const command = stage.command.replace("exec ", `cd ${stage.directory} && exec `);
  const lines = [
    "services:",
    "  api:",
    "    image: wrapper",
    `    command: ["/bin/sh", "-c", ${JSON.stringify(command)}]`,
    "    environment:",
    `      HOME: ${stage.sshd.home}`,
    `      PATH: ${process.env["PATH"]}`,
    service,
    "",
  ];
  put(join(stage.directory, "compose.yaml"), lines.join("\n"));
  docker.call(["compose", "up", "-d"], stage.directory);
  return awake(stage, docker);
}

/** Writes a file of the host, with its folder. */
export function put(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}

/** The wording with the home of that host. */
export function absolute(says: string, { sshd }: Stage): string {
  return says.replace("~", sshd.home);
}

/** Neither a key nor a token was shown. */
export function expectNoKey({ stdout, stderr }: Ended): void {
  expect(stdout + stderr).not.toMatch(/CANARY/);
}

/** A file of the host, by its path below the home. */
export function read({ sshd }: Stage, path: string): string {
  return readFileSync(join(sshd.home, path), "utf8");
}

/** The files of the host that a push may touch. */
export function textsOf({ sshd }: Stage): Record<string, string> {
  return Object.fromEntries(
    tracesBelow(sshd.home)
      .filter(({ where }) => !/history$|\.pid$|\.log$/.test(where))
      .map(({ where, bytes }) => [where, bytes.toString("utf8")]),
  );
}
