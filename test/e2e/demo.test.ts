import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runDemo } from "../../src/demo/story.ts";
import type { Push } from "../../src/demo/story.ts";
import { nodePorts } from "../../src/node-ports.ts";
import type { Ports } from "../../src/ports.ts";

const CLI = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));

let folder: string;
let env: NodeJS.ProcessEnv & { HOME: string; TMPDIR: string };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo test ")); // a space, as paths have them
  env = { PATH: process.env["PATH"], HOME: join(folder, "home"), TMPDIR: join(folder, "tmp") };
  await Promise.all([mkdir(env.HOME), mkdir(env.TMPDIR)]);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("the demo shows a cure, an unchanged push and a roll back, and leaves nothing behind", async () => {
  const { code, stdout, stderr } = await run();
  expect(stderr).not.toMatch(/✖|warning/i);
  expect(code).toBe(0);
  expect(outcomesIn(stdout)).toEqual(["verified", "unchanged", "rolled-back"]);
  expect(stdout).toMatch(
    /Not logged in.*\n[^]*answers: pong\n[^]*answers: pong\n[^]*answers: pong\n/,
  );
  expect(stdout + stderr).not.toMatch(/sk-ant|CANARY/);
  await expectNothingLeft();
});

test("a Ctrl-C in the middle of a change removes everything too", async () => {
  const { code, stdout, stderr } = await run(/installing/);
  expect(code).toBe(130);
  expect(stderr).toContain("the demo was interrupted");
  expect(outcomesIn(stdout)).not.toContain("unchanged");
  await expectNothingLeft();
});

test("a push that only claims to have worked is found out", async () => {
  const { status, stderr } = await runStory(() => Promise.resolve(0));
  expect(status).toBe(1);
  expect(stderr).toMatch(/the host remembers "" and not "committed"/);
  expect(stderr).toMatch(/the wrapper answers "Not logged in/);
});

test("without a POSIX shell the demo says so, and does nothing", async () => {
  let pushes = 0;
  const push = () => Promise.resolve((pushes += 1));
  const { status, stderr } = await runStory(push, { platform: "win32" });
  expect({ status, pushes }).toEqual({ status: 2, pushes: 0 });
  expect(stderr).toContain("POSIX shell");
});

/** The built program; `interruptAt`: sends it a Ctrl-C as soon as stderr says that. */
async function run(interruptAt?: RegExp) {
  const child = spawn(process.execPath, [CLI, "demo"], { env, cwd: folder, stdio: "pipe" });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    const isNew = interruptAt?.test(said) === false;
    said += chunk.toString("utf8");
    if (isNew && interruptAt.test(said)) child.kill("SIGINT");
  });
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  return { code: child.exitCode, stdout, stderr };
}

/** The story with another push. */
async function runStory(push: Push, different: Partial<Ports> = {}) {
  let stderr = "";
  const ignored = new Writable({ write: (_chunk, _encoding, done) => done() });
  const heard = new Writable({
    write(chunk: Buffer, _encoding, done) {
      stderr += chunk.toString("utf8");
      done();
    },
  });
  const terminal = { stdout: ignored, stderr: heard, env: {} };
  const { signal } = new AbortController();
  const status = await runDemo({ ports: nodePorts(different), terminal, signal }, push);
  return { status, stderr };
}

function outcomesIn(stdout: string): string[] {
  return [...stdout.matchAll(/^demo +(\S+)/gm)].map(([, outcome = ""]) => outcome);
}

/** No file, and within seconds no process: the dead-man switch may sleep for another one. */
async function expectNothingLeft(): Promise<void> {
  expect(await readdir(env.HOME)).toEqual([]);
  expect(await readdir(env.TMPDIR)).toEqual([]);
  await expect.poll(() => processesWith(env.TMPDIR), { timeout: 5000 }).toEqual([]);
}

/** Command lines of the processes that have `value` in their environment, where there is a /proc to ask. */
async function processesWith(value: string): Promise<string[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = pids.map(async (pid) =>
    (await read(`/proc/${pid}/environ`)).includes(value)
      ? [await read(`/proc/${pid}/cmdline`)]
      : [],
  );
  return (await Promise.all(found)).flat();
}

function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
