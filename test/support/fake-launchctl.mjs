// A launchctl for a host that is no Mac: jobs are JSON files in the folder of this program, and a started job is a real
// process with the environment that it says. What it prints was written after launchctl(1) and its output on macOS 14.
//     DOMAIN-LABEL.json    {"argv": […], "env": {…}, "out": PATH, "err": PATH}, DOMAIN being `system`, `gui.501` or `user.501`
//     DOMAIN-LABEL.pid     the process of the job
//     calls                every call
//
//   launchctl print DOMAIN/LABEL      what launchd knows of a job; values of its environment among it
//   launchctl kickstart [-k] DOMAIN/LABEL     starts it; with `-k` whatever runs of it is killed first
//   launchctl kill SIGNAL DOMAIN/LABEL
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const here = import.meta.dirname;
const words = process.argv.slice(2);
appendFileSync(join(here, "calls"), `${words.join(" ")}\n`);
const target = words.at(-1) ?? "";
const at = target.lastIndexOf("/");
const domain = target.slice(0, at);
const label = basename(target);
const file = join(here, `${domain.replace("/", ".")}-${label}`);

if (!existsSync(`${file}.json`)) {
  const [kind, user] = domain.split("/");
  const named = user === undefined ? kind : `${kind === "gui" ? "user gui" : kind}: ${user}`;
  end(113, `Could not find service "${label}" in domain for ${named}`);
} else if (words[0] === "print") print();
else if (words[0] === "kickstart") await kickstart(words.includes("-k"));
else if (words[0] === "kill") kill(words[1]);
else end(64, `Unrecognized subcommand: ${words[0]}`);

function print() {
  const { argv, env, out, err } = job();
  const pid = pidOf();
  const lines = [
    `${target} = {`,
    `\tactive count = ${pid === undefined ? 0 : 1}`,
    `\tpath = /Users/ana/Library/LaunchAgents/${label}.plist`,
    "\ttype = LaunchAgent",
    `\tstate = ${pid === undefined ? "not running" : "running"}`,
    "",
    `\tprogram = ${argv[0]}`,
    "\targuments = {",
    ...argv.map((word) => `\t\t${word}`),
    "\t}",
    "",
    `\tstdout path = ${out}`,
    `\tstderr path = ${err}`,
    "\tenvironment = {",
    ...Object.entries(env).map(([name, value]) => `\t\t${name} => ${value}`),
    `\t\tXPC_SERVICE_NAME => ${label}`,
    "\t}",
    "",
    `\tdomain = ${domain}`,
    "\tminimum runtime = 10",
    ...(pid === undefined ? ["\tlast exit code = 1"] : [`\tpid = ${pid}`]),
    "}",
  ];
  console.log(lines.join("\n"));
}

async function kickstart(isForced) {
  if (domain === "system" && process.getuid() !== 0) {
    return end(1, `Could not kickstart service "${label}": 1: Operation not permitted`);
  }
  if (pidOf() !== undefined && !isForced) return;
  kill("SIGKILL");
  while (pidOf() !== undefined) await sleep(20);
  const { argv, env, out, err } = job();
  const child = spawn(argv[0], argv.slice(1), {
    cwd: "/",
    env: { ...env, XPC_SERVICE_NAME: label },
    detached: true,
    stdio: ["ignore", openSync(out, "a"), openSync(err, "a")],
  });
  child.unref();
  writeFileSync(`${file}.pid`, String(child.pid));
}

function kill(signal) {
  const pid = pidOf();
  if (pid !== undefined) process.kill(pid, signal);
}

function job() {
  return JSON.parse(readFileSync(`${file}.json`, "utf8"));
}

function pidOf() {
  try {
    const pid = Number(readFileSync(`${file}.pid`, "utf8"));
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")) ? undefined : pid;
  } catch {
    return undefined;
  }
}

function end(status, message) {
  console.error(message);
  process.exitCode = status;
}
