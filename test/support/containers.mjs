// The containers of fake-docker.mjs: processes of this machine, and what is known of them.
import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { account, here, print } from "./stand-in.mjs";

/** What docker or compose says when it cannot go on, and its exit status. */
export class Refusal extends Error {
  constructor(message, status = 1) {
    super(message);
    this.status = status;
  }
}

export const containers = [];

/** Runs its command in its environment; the environment stays what it was when the container was created. */
export function start(one) {
  const left = Number(read("fail") || 0);
  if (left > 0) {
    writeFileSync(join(here, "fail"), `${left - 1}\n`);
    save();
    throw new Refusal(
      "Error response from daemon: failed to create task for container: OCI runtime create failed",
    );
  }
  const output = openSync(join(here, `${one.id}.log`), "a");
  const [program, ...argv] = one.command;
  const child = spawn(program, argv, {
    cwd: one.cwd,
    env: one.env,
    ...account(),
    detached: true,
    stdio: ["ignore", output, output],
  });
  // A command that is not there: a container without a process.
  child.on("error", () => undefined);
  Object.assign(one, { pid: child.pid, startedAt: new Date().toISOString() });
  save();
}

export async function stop(one) {
  if (isUp(one.pid)) process.kill(one.pid, "SIGTERM");
  const killAt = Date.now() + 10_000;
  while (isUp(one.pid)) {
    if (Date.now() > killAt) process.kill(one.pid, "SIGKILL");
    await sleep(20);
  }
  save();
}

/** Talks to the daemon, where one may. */
export function ask() {
  if (!existsSync(join(here, "denied"))) return;
  throw new Refusal(
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/containers/json": dial unix /var/run/docker.sock: connect: permission denied',
  );
}

/** What `docker inspect` knows of it. */
export function inspect({
  id,
  name,
  pid,
  startedAt,
  labels,
  env,
  command,
  image,
  restarts = 0,
  cwd,
}) {
  const Running = isUp(pid);
  return {
    Id: id,
    Name: `/${name}`,
    State: {
      Status: Running ? "running" : "exited",
      Running,
      Restarting: false,
      Pid: Running ? pid : 0,
      StartedAt: startedAt,
    },
    RestartCount: restarts,
    Config: {
      Env: Object.entries(env).map((pair) => pair.join("=")),
      Cmd: command,
      Image: image,
      Labels: labels,
      WorkingDir: cwd,
    },
  };
}

/** A Go template, as far as `{{.A.B}}`, `{{json .A}}`, `{{index .A "b"}}` and `{{range .A}}{{println .}}{{end}}` go. */
export function fill(format, object) {
  const at = (path) =>
    path
      .split(".")
      .filter(Boolean)
      .reduce((value, key) => value?.[key], object);
  const render = (value) =>
    value === undefined
      ? "<no value>"
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
  return format
    .replace(
      /\{\{\s*range\s+(\.[\w.]*)\s*\}\}\{\{\s*println\s+\.\s*\}\}\{\{\s*end\s*\}\}/g,
      (_, path) => `${at(path).join("\n")}\n`,
    )
    .replace(
      /\{\{\s*index\s+(\.[\w.]*)\s+"([^"]*)"\s*\}\}/g,
      (_, path, key) => at(path)?.[key] ?? "",
    )
    .replace(/\{\{\s*json\s+(\.[\w.]*)\s*\}\}/g, (_, path) => JSON.stringify(at(path)))
    .replace(/\{\{\s*(\.[\w.]*)\s*\}\}/g, (_, path) => render(at(path)));
}

export function printLog({ id }, flags) {
  const lines = read(`${id}.log`).trimEnd().split("\n");
  const count = Number((flags.get("--tail") ?? flags.get("-n"))?.[0] ?? lines.length);
  print(lines.slice(-count).join("\n"));
}

export function isUp(pid) {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function save() {
  writeFileSync(join(here, "containers.json"), JSON.stringify(containers));
}

function read(name) {
  return existsSync(join(here, name)) ? readFileSync(join(here, name), "utf8") : "";
}
