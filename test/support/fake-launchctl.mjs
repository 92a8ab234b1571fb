// A launchctl for a host that is no Mac: jobs are JSON files in its folder, and a started job is a real
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
import { account, call, end, here, print, serve } from "./stand-in.mjs";

serve(async () => {
  const { words } = call();
  appendFileSync(join(here, "calls"), `${words.join(" ")}\n`);
  const target = words.at(-1) ?? "";
  const domain = target.slice(0, target.lastIndexOf("/"));
  const label = basename(target);
  const known = { target, domain, label, file: join(here, `${domain.replace("/", ".")}-${label}`) };
  if (!existsSync(`${known.file}.json`)) {
    const [kind, user] = domain.split("/");
    const named = user === undefined ? kind : `${kind === "gui" ? "user gui" : kind}: ${user}`;
    return end(113, `Could not find service "${label}" in domain for ${named}`);
  }
  if (words[0] === "print") return describe(known);
  if (words[0] === "kickstart") return kickstart(known, words.includes("-k"));
  if (words[0] === "kill") return kill(known, words[1]);
  end(64, `Unrecognized subcommand: ${words[0]}`);
});

function describe({ target, domain, label, file }) {
  const { argv, env, out, err } = job(file);
  const pid = pidOf(file);
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
  print(lines.join("\n"));
}

async function kickstart({ domain, label, file }, isForced) {
  if (domain === "system" && call().uid !== 0) {
    return end(1, `Could not kickstart service "${label}": 1: Operation not permitted`);
  }
  if (pidOf(file) !== undefined && !isForced) return;
  kill({ file }, "SIGKILL");
  while (pidOf(file) !== undefined) await sleep(20);
  const { argv, env, out, err } = job(file);
  const child = spawn(argv[0], argv.slice(1), {
    cwd: "/",
    env: { ...env, XPC_SERVICE_NAME: label },
    ...account(),
    detached: true,
    stdio: ["ignore", openSync(out, "a"), openSync(err, "a")],
  });
  // A program that is not there: a job without a process.
  child.on("error", () => undefined);
  writeFileSync(`${file}.pid`, String(child.pid));
}

function kill({ file }, signal) {
  const pid = pidOf(file);
  if (pid !== undefined) process.kill(pid, signal);
}

function job(file) {
  return JSON.parse(readFileSync(`${file}.json`, "utf8"));
}

function pidOf(file) {
  try {
    const pid = Number(readFileSync(`${file}.pid`, "utf8"));
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")) ? undefined : pid;
  } catch {
    return undefined;
  }
}
