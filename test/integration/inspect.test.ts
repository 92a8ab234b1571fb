import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { inspect } from "../../src/doctor/inspect.ts";
import { probe } from "../../src/probe/probe.ts";
import type { InspectReport } from "../../src/remote/inspect-report.ts";
import { findSupervisor } from "../../src/restart/found-supervisor.ts";
import { installDocker } from "../support/docker.ts";
import { makeLocalHome, SHELLS } from "../support/local-half.ts";
import type { LocalHome } from "../support/local-half.ts";
import { findProgram } from "../support/programs.ts";
import { tokens } from "../support/stage.ts";
import { until } from "../support/until.ts";

/** The wrapper's command line, as words, in the home's own folder. */
function wordsOf({ recipe }: LocalHome): string[] {
  return String(recipe["command"])
    .replace(/^exec /, "")
    .split(" ");
}

/** Starts something that ends with the test, in the wrapper's folder, and waits until the wrapper answers. */
async function start(
  home: LocalHome,
  [program = "", ...argv]: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  const cwd = String(home.recipe["directory"]);
  const HOME = home.home;
  const child = spawn(program, argv, {
    cwd,
    env: { PATH: process.env["PATH"], HOME, ...env },
    stdio: "ignore",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await until("the wrapper answers", () =>
    home.chat("are you there").then(
      () => true,
      () => false,
    ),
  );
  return child.pid ?? 0;
}

async function look(
  home: LocalHome,
  shell: readonly string[],
  { recipe = {}, path, claude = false }: { recipe?: object; path?: string; claude?: boolean } = {},
): Promise<InspectReport> {
  const { half, run } = await home.open(shell, path);
  await probe(half, run, {}, { port: home.port, kind: "none", ...recipe });
  const report = await inspect(half, run, { claude, log: false });
  half.end();
  return report;
}

/** A folder of stand-ins that comes first in the PATH. */
function withPrograms(programs: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-bin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return [folder, process.env["PATH"]].join(delimiter);
}

describe.each(SHELLS)("under %s", (_, shell) => {
  test("a process of its own is found by its port, with folder and script, and no argument that could be a secret", async () => {
    using home = await makeLocalHome();
    const words = [...wordsOf(home), "--bearer", tokens.bad];
    const pid = await start(home, words, { CLAUDE_CONFIG_DIR: home.configDir });

    const report = await look(home, shell);

    expect(report.isByPort).toBe(true);
    expect(report.chain[0]).toEqual({ pid, name: "node" });
    expect(report.chain[1]?.pid).toBe(process.pid);
    expect(report).toMatchObject({
      cwd: home.recipe["directory"],
      command: `${process.execPath} ${wordsOf(home)[1]}`,
      wrapperHome: home.home,
      wrapperDir: home.configDir,
      containers: [],
      pm2: undefined,
      supervisord: undefined,
      claudeStatus: undefined,
      log: [],
    });
    expect(report.system).toMatch(/^Linux /);
    expect(JSON.stringify(report)).not.toContain("CANARY");
    expect(findSupervisor(report)?.restart).toMatchObject({ kind: "process" });
  });

  test("it is found where `ss` may not ask the kernel, too", async () => {
    using home = await makeLocalHome();
    const pid = await start(home, wordsOf(home));
    const report = await look(home, shell, { path: withPrograms({ ss: "exit 255" }) });
    expect(report.chain[0]?.pid).toBe(pid);
  });

  test("nothing listens: there is nothing to follow", async () => {
    using home = await makeLocalHome();
    expect(await look(home, shell)).toMatchObject({ chain: [], isByPort: false, cgroups: [] });
  });

  // In the file's name every other character is a dash; the process itself is told the name as it is.
  test.each([
    ["the file with the pid", {}, "claude-api"],
    ["what the process is told", { name: "claude_api" }, "claude_api"],
  ])("pm2 is known by its daemon, and the name by %s", async (_way, told, name) => {
    using home = await makeLocalHome();
    const folder = join(home.home, ".pm2", "pids");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "other-1.pid"), "1\n");
    // As the daemon does: its title, a child, and a file with the child's pid.
    const daemon = join(home.home, "daemon.mjs");
    writeFileSync(
      daemon,
      `import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
process.title = ${JSON.stringify(`PM2 v5.4.2: God Daemon (${home.home}/.pm2)`)};
const child = spawn(${JSON.stringify(wordsOf(home)[0])}, ${JSON.stringify(wordsOf(home).slice(1))}, { stdio: "ignore", env: { ...process.env, ...(${JSON.stringify(told)}) } });
writeFileSync(${JSON.stringify(join(folder, "claude-api-0.pid"))}, String(child.pid));
process.on("SIGTERM", () => child.kill());
setInterval(() => {}, 1000);
`,
    );
    // A title has no more room than the arguments had.
    await start(home, [process.execPath, daemon, "x".repeat(200)]);

    const report = await look(home, shell);

    expect(report.pm2).toEqual({ home: `${home.home}/.pm2`, name });
    expect(findSupervisor(report)?.restart).toEqual({ kind: "pm2", name });
  });

  test.skipIf(findProgram("supervisord") === undefined)(
    "supervisord is known by name, with its configuration and its name for the wrapper",
    async () => {
      using home = await makeLocalHome();
      const config = join(home.home, "supervisord.conf");
      const { directory } = home.recipe;
      writeFileSync(
        config,
        `[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=${home.home}/supervisord.pid

[program:api]
command=${wordsOf(home).join(" ")}
directory=${directory}

[group:claude]
programs=api
`,
      );
      const pid = await start(home, ["supervisord", "-n", "-c", config]);

      const report = await look(home, shell);

      expect(report.chain[1]).toEqual({ pid, name: "supervisord" });
      expect(report.supervisord).toEqual({ config, program: "claude:api" });
      expect(findSupervisor(report)?.restart).toEqual({
        kind: "supervisor",
        program: "claude:api",
        config,
      });
    },
  );

  test("a job of launchd is known by its pid", async () => {
    using home = await makeLocalHome();
    const pid = await start(home, wordsOf(home));
    const path = withPrograms({
      launchctl: `[ "$1" = list ] && printf 'PID\\tStatus\\tLabel\\n-\\t0\\tcom.example.idle\\n${pid}\\t0\\tcom.example.wrapper\\n'`,
    });
    const report = await look(home, shell, { path });
    const scope = process.getuid?.() === 0 ? "system" : "user";
    expect(report.job).toEqual({ scope, label: "com.example.wrapper" });
  });

  test("a container of compose is known by service and folder, whatever hosts.json says", async () => {
    using home = await makeLocalHome();
    const docker = installDocker();
    onTestFinished(() => docker[Symbol.dispose]());
    const directory = String(home.recipe["directory"]);
    const service = { image: "wrapper:1", command: wordsOf(home), working_dir: directory };
    writeFileSync(join(directory, "compose.yaml"), JSON.stringify({ services: { api: service } }));
    expect(docker.call(["compose", "up", "-d"], directory).status).toBe(0);
    await until("the wrapper answers", () =>
      home.chat("are you there").then(
        () => true,
        () => false,
      ),
    );
    const path = [docker.folder, process.env["PATH"]].join(delimiter);

    const report = await look(home, shell, { path });

    expect(report.containers).toMatchObject([{ service: "api", directory }]);
    expect(findSupervisor(report)?.restart).toEqual({
      kind: "docker-compose",
      directory,
      service: "api",
    });
  });

  test("Claude Code is asked with the wrapper's home and names, and with none of its values", async () => {
    using home = await makeLocalHome();
    const seen = join(home.home, "seen");
    const path = withPrograms({
      claude: `env >${seen}; echo '{"loggedIn": true, "authMethod": "api_key", "apiKeySource": "ANTHROPIC_API_KEY"}'`,
    });
    await start(home, wordsOf(home), {
      PATH: path,
      ANTHROPIC_API_KEY: "sk-ant-api03-CANARYBAD",
      ANTHROPIC_AUTH_TOKEN: "",
    });

    const report = await look(home, shell, { claude: true });

    expect(report.claudeStatus?.toString()).toContain('"authMethod": "api_key"');
    const environment = readFileSync(seen, "utf8");
    expect(environment).toContain("ANTHROPIC_API_KEY=1\n");
    expect(environment).toContain(`HOME=${home.home}\n`);
    expect(environment).not.toMatch(/CANARY|AUTH_TOKEN/);
  });
});

test("it is asked after a probe, or not at all", async () => {
  using home = await makeLocalHome();
  chmodSync(home.home, 0o755);
  const { half, run } = await home.open();
  const answer = await half.ask({ verb: "inspect", fields: { run, ask: "" } });
  expect(answer.get("fail")).toBe("protocol");
  half.end();
});
