import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectOldFile, hostToken } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");
const OLD = renderHostLogin(tokens.other);

/** Somebody's project that has installed the package as `npm pack` makes it. */
let project = "";

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "sync-creds-project-"));
  const installed = join(project, "node_modules", "sync-creds");
  mkdirSync(installed, { recursive: true });
  const { stdout } = await run(
    "npm",
    ["pack", "--ignore-scripts", "--silent", "--pack-destination", project],
    { cwd: ROOT },
  );
  await run("tar", ["-xzf", join(project, stdout.trim()), "-C", installed, "--strip-components=1"]);
  for (const name of ["@types", "zod"])
    symlinkSync(join(ROOT, "node_modules", name), join(project, "node_modules", name));
}, 60_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Runs a program of that project on the laptop of the stage; what it has printed, as JSON. */
async function runProgram({ laptop }: Stage, code: string): Promise<Record<string, unknown>> {
  const path = join(project, "program.mjs");
  writeFileSync(path, code);
  const env = {
    HOME: laptop,
    PATH: process.env["PATH"],
    XDG_STATE_HOME: join(laptop, "state"),
    SYNC_CREDS_TOKEN_STORE: "file",
  };
  const { stdout, stderr } = await run(process.execPath, [path], { cwd: laptop, env });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe.skipIf(!hasSshd)("import from the packed package", () => {
  test("push: verifies a host, tells the events, and writes nothing by itself", async () => {
    await using stage = await openStage({ hostFile: OLD, running: true });

    const { result, steps, past } = await runProgram(
      stage,
      `import { history, push } from "sync-creds";
      const steps = [];
      const result = await push(["web-1"], {
        onEvent: (event) => event.type === "step" && steps.push(event.step),
      });
      console.log(JSON.stringify({ result, steps, past: (await history()).entries }));`,
    );

    expect(result).toMatchObject({ exitCode: 0, hosts: [{ host: "web-1", outcome: "verified" }] });
    expect(steps).toEqual(["connect", "probe", "plan", "install", "restart", "smoke", "commit"]);
    expect(past).toMatchObject([{ host: "web-1", outcome: "verified" }]);
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test("plan changes nothing; rollback takes a push back; loadHosts shows hosts.json", async () => {
    await using stage = await openStage({ hostFile: OLD, running: true });

    const { planned, names } = await runProgram(
      stage,
      `import { loadHosts, plan } from "sync-creds";
      const names = (await loadHosts()).hosts.map(({ name }) => name);
      const { hosts } = await plan(names);
      console.log(JSON.stringify({ planned: hosts[0].outcome, names }));`,
    );
    expect([planned, names]).toEqual(["planned", ["web-1"]]);
    expectOldFile(stage, OLD);

    const back = await runProgram(
      stage,
      `import { push, rollback } from "sync-creds";
      await push(["web-1"]);
      console.log(JSON.stringify(await rollback(["web-1"])));`,
    );
    expect(back).toMatchObject({ exitCode: 0, hosts: [{ outcome: "verified" }] });
    expectOldFile(stage, OLD);
  });

  test("an aborted signal puts the host back; an error before any host is a SyncCredsError", async () => {
    await using stage = await openStage({
      hostFile: OLD,
      running: true,
      wrapperArguments: ["--answer-ms", "500"],
    });

    const { exitCode, code, status } = await runProgram(
      stage,
      `import { push, SyncCredsError } from "sync-creds";
      const stop = new AbortController();
      const { exitCode } = await push(["web-1"], {
        signal: stop.signal,
        onEvent: (event) => event.type === "step" && event.step === "smoke" && stop.abort(),
      });
      const error = await push(["nobody"]).catch((thrown) => thrown);
      const { code, exitStatus: status } = error instanceof SyncCredsError ? error : {};
      console.log(JSON.stringify({ exitCode, code, status }));`,
    );

    expect([exitCode, code, status]).toEqual([130, "TARGET_UNKNOWN", 2]);
    expectOldFile(stage, OLD);
  });
});

/** The example of the README, as it stands there. */
function readmeExample(): string {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  return /```ts\n([\s\S]*?import \{[^}]*\} from "sync-creds"[\s\S]*?)```/.exec(readme)?.[1] ?? "";
}

test("the README's example is typed by the packed declarations; a wrong option is not", async () => {
  const options = {
    compilerOptions: {
      target: "es2023",
      lib: ["es2023", "esnext.disposable"],
      module: "nodenext",
      strict: true,
      noEmit: true,
      types: ["node"],
    },
    files: ["good.ts"],
  };
  const compile = (name: string, code: string) => {
    writeFileSync(join(project, name), code);
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ ...options, files: [name] }));
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    return run(process.execPath, [tsc, "-p", project]).then(
      () => "",
      (error: { stdout: string }) => error.stdout,
    );
  };
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  const example = readmeExample();
  expect(example).toContain("push(");
  expect(await compile("good.ts", example)).toBe("");
  const wrong = `import { push } from "sync-creds";\nawait push(["a"], { concurency: 3 });\n`;
  expect(await compile("wrong.ts", wrong)).toContain("concurency");
}, 60_000);
