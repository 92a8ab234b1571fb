import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStage, renderHostLogin, renderLogin, tokens } from "../test/support/stage.ts";
import type { Stage } from "../test/support/stage.ts";
import { renderRow, runToEnd, timeInTurn } from "./measure.ts";
import type { Command } from "./measure.ts";

// Compiled to build/measured/bench: the project is three folders up.
const project = fileURLToPath(new URL("../../..", import.meta.url));
const bin = join(project, "bin", "sync-creds.js");
// An inherited NODE_EXTRA_CA_CERTS costs every start of Node 20 some 45 ms.
const env = { PATH: process.env["PATH"], HOME: process.env["HOME"] };

await benchStart();
await benchPush();

/** What it costs to say anything at all. */
async function benchStart(): Promise<void> {
  const [floor, version, help] = await timeInTurn(
    [run("node -e 0", "-e", "0"), run("--version", bin, "--version"), run("--help", bin, "--help")],
    21,
  );
  if (!floor || !version || !help) return;
  print("start-up, against `node -e 0`", [
    renderRow(floor, floor),
    renderRow(version, floor, 1.6),
    renderRow(help, floor, 2),
  ]);
}

function run(name: string, ...argv: string[]): Command {
  return { name, argv: [process.execPath, ...argv], env };
}

/** A whole push, TCP connect to verdict, against the same job by one `ssh host 'sh -s' < script`. */
async function benchPush(): Promise<void> {
  const options = { hostFile: renderHostLogin(tokens.other), host: { stabilityMs: 0 } };
  await using stage = await openStage(options);
  await using peerStage = await openStage(options);
  let round = 0;
  const ours: Command = {
    name: "sync-creds push",
    argv: [process.execPath, bin, "push", "web-1"],
    cwd: stage.laptop,
    env: { ...env, HOME: stage.laptop, XDG_STATE_HOME: join(stage.laptop, "state") },
    prepare: () => stage.logIn(`${tokens.good}-${round++}`),
  };
  const peer: Command = {
    name: "ssh host 'sh -s' < script",
    argv: ["ssh", "-F", peerStage.sshd.sshConfig, "host", "sh -s"],
    env,
    get input() {
      return renderPeer(peerStage, round++);
    },
  };
  const [peerTime, ourTime] = await timeInTurn([peer, ours], 15);
  if (!peerTime || !ourTime) return;
  print("one push with restart and smoke, against one OpenSSH connection", [
    renderRow(peerTime, peerTime),
    renderRow(ourTime, peerTime, 1.25),
  ]);

  const script =
    "import{writeSync}from'node:fs';process.on('exit',()=>writeSync(2,'peak '+process.resourceUsage().maxRSS))";
  ours.prepare?.();
  const said = await runToEnd({
    ...ours,
    argv: [process.execPath, "--import", dataModule(script), bin, "push", "web-1"],
  });
  const peakMiB = Number(/peak (\d+)/.exec(said)?.[1]) / 1024;
  print("memory", [
    `peak of a one-host push ${peakMiB.toFixed(0)} MiB  target 90  ${peakMiB < 90 ? "met" : "MISSED"}`,
  ]);
}

function renderPeer(peerStage: Stage, round: number): string {
  const hosts: { hosts: { "web-1": { restart: { command: string } } } } = JSON.parse(
    readFileSync(peerStage.hostsJson, "utf8"),
  );
  return readFileSync(join(project, "bench", "openssh-push.sh"), "utf8")
    .replace("@LOGIN@", renderLogin(`${tokens.good}-${round}`))
    .replace("@COMMAND@", hosts.hosts["web-1"].restart.command)
    .replaceAll("@PORT@", String(peerStage.wrapperPort))
    .replaceAll("@WORD@", String(round));
}

function dataModule(script: string): string {
  return `data:text/javascript,${encodeURIComponent(script)}`;
}

function print(title: string, lines: readonly string[]): void {
  console.log(`\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`);
}
