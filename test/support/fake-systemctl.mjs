// A systemd for a host that has none: units are files, and a started unit is a real process with the environment that
// systemd 252 would give it. Its behaviour and its words were compared with a real one. `systemd.ts` installs it as
// `systemctl` and `journalctl` in a folder of its own, where it also keeps what it knows:
//     root.path    where etc/, run/ and usr/ of the system begin (`/` when there is none)
//     fail, crash  how many of the next starts fail, or crash again and again
//     calls        every call, with the variable that leads to a user's manager
//     SCOPE.UNIT.json, UNIT.journal   a loaded unit with its process; what that has printed
// Verbs: start, stop, restart, show [-p NAME[,NAME]] [--value], cat, is-active, daemon-reload; `--user`.
import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { accountOf, environmentOf, lastOf } from "./unit-environment.mjs";
import { account, call, complain, end, here, print, serve } from "./stand-in.mjs";
import { listOf, parseSection, renderWords, splitWords } from "./unit-file.mjs";

serve(async () => {
  const { env, name, words } = call();
  appendFileSync(join(here, "calls"), `${words.join(" ")} [${env.XDG_RUNTIME_DIR ?? ""}]\n`);
  if (name === "journalctl") return printJournal();
  if (isUser() && !env.XDG_RUNTIME_DIR) return end(1, "Failed to connect to bus: No medium found");
  const options = new Set(["-p", "--property", "-u", "--unit", "-n", "--lines", "-o", "--output"]);
  const [verb, ...units] = words.filter(
    (word, at) => !word.startsWith("-") && !options.has(words[at - 1]),
  );
  if (verb === "daemon-reload") return reload();
  for (const unit of units) await control(verb, /\.\w+$/.test(unit) ? unit : `${unit}.service`);
});

function isUser() {
  return call().words.includes("--user");
}

/** Where units lie, the directory that wins first. */
function listDirectories() {
  const root = read(join(here, "root.path"));
  if (!isUser()) {
    return ["etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system"].map(
      (path) => `${root}/${path}`,
    );
  }
  const { env } = call();
  return [
    `${env.XDG_CONFIG_HOME || `${env.HOME ?? "/"}/.config`}/systemd/user`,
    `${root}/etc/systemd/user`,
    `${root}/usr/lib/systemd/user`,
  ];
}

async function control(verb, unit) {
  const known = recall(unit);
  const loaded = known.loaded ?? load(unit);
  if (verb === "show") return show(known, loaded);
  if (verb === "is-active") {
    const state = stateOf(known);
    print(state);
    return end(state === "active" ? 0 : 3);
  }
  if (loaded === undefined) {
    if (verb === "cat") return end(1, `No files found for ${unit}.`);
    return end(5, `Failed to ${verb} ${unit}: Unit ${unit} not found.`);
  }
  if (verb === "cat") {
    const texts = [loaded.path, ...loaded.dropIns].map((path) => `# ${path}\n${read(path)}`);
    return print(texts.join("\n"));
  }
  if (!["start", "stop", "restart"].includes(verb)) return end(1, `Unknown command verb ${verb}.`);
  if (!isUser() && call().uid !== 0) {
    return end(
      1,
      `Failed to ${verb} ${unit}: Interactive authentication required.\nSee system logs and 'systemctl status ${unit}' for details.`,
    );
  }
  if (isStale(unit, loaded)) {
    complain(
      `Warning: The unit file, source configuration file or drop-ins of ${unit} changed on disk. Run 'systemctl daemon-reload' to reload units.`,
    );
  }
  if (verb === "start" && stateOf(known) === "active") return;
  await stop(known);
  if (verb === "stop") return rmSync(memoryOf(unit), { force: true });
  start(unit, loaded);
}

/** What is on the disk for a unit now; `undefined` when it has no file. */
function load(unit) {
  const directories = listDirectories();
  const path = directories
    .map((directory) => join(directory, unit))
    .find((file) => existsSync(file));
  if (path === undefined) return undefined;
  const found = new Map();
  // A drop-in hides those of the same name in later directories; all apply in the order of their names.
  for (const directory of directories.map((one) => join(one, `${unit}.d`)).toReversed()) {
    const names = existsSync(directory) ? readdirSync(directory) : [];
    for (const name of names) if (name.endsWith(".conf")) found.set(name, join(directory, name));
  }
  const dropIns = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  const texts = [path, ...dropIns].map(read);
  const settings = texts.flatMap((text) => parseSection(text, "Service"));
  return {
    path,
    dropIns,
    texts,
    settings: settings.map(([name, value]) => [name, specify(value)]),
  };
}

function isStale(unit, loaded) {
  return JSON.stringify(load(unit)) !== JSON.stringify(loaded);
}

function reload() {
  for (const file of readdirSync(here)) {
    const scope = isUser() ? "user." : "system.";
    if (!file.startsWith(scope) || !file.endsWith(".json")) continue;
    const unit = file.slice(scope.length, -".json".length);
    remember(unit, { ...recall(unit), loaded: load(unit) });
  }
}

function show(known, loaded) {
  const settings = loaded?.settings ?? [];
  const state = stateOf(known);
  const properties = [
    ["Id", known.unit],
    ["MainPID", state === "active" ? known.pid : 0],
    ["NRestarts", Number(read(join(here, "restarts")) || 0)],
    ["Environment", renderWords(listOf(settings, "Environment").flatMap(splitWords))],
    ...listOf(settings, "EnvironmentFile").map((file) => [
      "EnvironmentFiles",
      `${file.replace(/^-/, "")} (ignore_errors=${file.startsWith("-") ? "yes" : "no"})`,
    ]),
    ["UnsetEnvironment", renderWords(listOf(settings, "UnsetEnvironment").flatMap(splitWords))],
    ["LoadState", loaded === undefined ? "not-found" : "loaded"],
    ["ActiveState", state],
    ["FragmentPath", loaded?.path ?? ""],
    ["DropInPaths", renderWords(loaded?.dropIns ?? [])],
    ["NeedDaemonReload", loaded !== undefined && isStale(known.unit, loaded) ? "yes" : "no"],
  ];
  // Printed in systemd's own order, whatever the order of the question.
  const wanted = call().words.flatMap((word, at) => {
    if (["-p", "--property"].includes(call().words[at - 1])) return word.split(",");
    return word.startsWith("--property=") ? word.slice("--property=".length).split(",") : [];
  });
  for (const [name, value] of properties) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    print(call().words.includes("--value") ? value : `${name}=${value}`);
  }
}

async function stop({ pid, loop }) {
  for (const one of [loop, pid].filter(isUp)) {
    process.kill(one, "SIGTERM");
    while (isUp(one)) await sleep(20);
  }
}

function start(unit, loaded) {
  rmSync(join(here, "restarts"), { force: true });
  const journal = join(here, `${unit}.journal`);
  const failed = `Job for ${unit} failed because`;
  const see = `See "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.`;
  const environment = environmentOf(loaded.settings, isUser() ? call().env : undefined);
  if (environment === undefined) {
    remember(unit, { failed: true, loaded });
    return end(1, `${failed} of unavailable resources or another system error.\n${see}`);
  }
  if (countDown("fail")) {
    appendFileSync(journal, `${unit}: Main process exited, code=exited, status=1/FAILURE\n`);
    remember(unit, { failed: true, loaded });
    return end(1, `${failed} the control process exited with error code.\n${see}`);
  }
  const output = openSync(journal, "a");
  const asItself = { ...account(), detached: true, stdio: ["ignore", output, output] };
  if (countDown("crash")) {
    const loop = `n=0; while sleep 0.1; do n=$((n + 1)); echo $n >'${here}/restarts'; done`;
    const child = spawn("sh", ["-c", loop], asItself);
    return remember(unit, { loop: child.pid, loaded });
  }
  const [program, ...argv] = splitWords(
    lastOf(loaded.settings, "ExecStart").replace(/^[-@:+!]+/, ""),
  );
  const its = accountOf(loaded.settings, isUser());
  const cwd = lastOf(loaded.settings, "WorkingDirectory") || "/";
  const child = spawn(program, argv, { ...asItself, cwd, env: environment, ...its });
  // A program that is not there: a unit that has failed.
  child.on("error", () => undefined);
  remember(unit, { pid: child.pid, loaded });
}

function specify(value) {
  return value.replace(
    /%(.)/g,
    (text, letter) =>
      ({ h: isUser() ? (call().env.HOME ?? "/") : "/root", "%": "%" })[letter] ?? text,
  );
}

function stateOf({ pid, loop, failed }) {
  if (isUp(pid)) return "active";
  if (isUp(loop)) return "activating";
  return failed || pid !== undefined ? "failed" : "inactive";
}

function isUp(pid) {
  if (!pid) return false;
  try {
    // A child that has ended and that nobody has waited for is no process.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function printJournal() {
  const { words } = call();
  const at = words.findIndex((word) => word === "-u" || word === "--unit");
  const count = Number(words[words.indexOf("-n") + 1] ?? 1000);
  const lines = read(join(here, `${words[at + 1]}.journal`))
    .trimEnd()
    .split("\n");
  print(lines.slice(-count).join("\n"));
}

function countDown(file) {
  const left = Number(read(join(here, file)) || 0);
  if (left > 0) writeFileSync(join(here, file), `${left - 1}\n`);
  return left > 0;
}

function memoryOf(unit) {
  return join(here, `${isUser() ? "user" : "system"}.${unit}.json`);
}

function recall(unit) {
  return { unit, ...JSON.parse(read(memoryOf(unit)) || "{}") };
}

function remember(unit, facts) {
  writeFileSync(memoryOf(unit), JSON.stringify({ ...facts, unit }));
}

function read(path) {
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path, "utf8") : "";
}
