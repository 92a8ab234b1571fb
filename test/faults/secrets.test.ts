import { spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findLeaks, randomSecret, tracesBelow } from "../support/canaries.ts";
import type { Canaries, Trace } from "../support/canaries.ts";
import { entryOf, hostToken, readHostFile } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderLogin } from "../support/stage.ts";
import { hasStrace, straceInto } from "../support/strace.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));

describe.skipIf(!hasSshd || !hasStrace)("no secret", () => {
  test("is seen anywhere but in its file, through a cure, a rollback and a failure", async () => {
    await using scene = await openScene();
    const { stage, canaries, logInWith } = scene;

    const cure = await scene.push("-v", "--json");
    expect(cure.code).toBe(0);
    const cured = readHostFile(stage);
    expect(cured).toContain(canaries["access"]);
    logInWith("BAD", "bad");
    const rollback = await scene.push("-v");
    expect(rollback.stdout).toContain("rolled-back");
    scene.configure({ configDir: "/proc/nowhere" });
    const failure = await scene.push("-v", "--json");
    expect(failure.code).toBe(10);

    const traces = scene.traces();
    expect(total(traces)).toBeGreaterThan(100_000);
    expect(findLeaks(traces, canaries)).toEqual([]);
    expect(readHostFile(stage)).toBe(cured);
  });

  test("of the laptop's refresh token or MCP logins reaches the host, not a byte on any stream", async () => {
    await using scene = await openScene();
    const { canaries, stage } = scene;

    const cure = await scene.push("--json");
    expect(cure.code).toBe(0);

    const received = scene.received();
    expect(findLeaks([received], { access: canaries["access"] ?? "" })).not.toEqual([]);
    const { refresh = "", mcpOfLaptop = "" } = canaries;
    const host = [received, ...tracesBelow(stage.sshd.directory)];
    expect(findLeaks(host, { refresh, mcpOfLaptop })).toEqual([]);
  });

  test("is in a copy that others could read", async () => {
    await using scene = await openScene();
    const { stage, canaries } = scene;
    await scene.push("--json");

    const folder = dirname(stage.hostFile);
    const holders = tracesBelow(folder).filter((trace) => findLeaks([trace], canaries).length > 0);

    expect(holders.map(({ where }) => where.replace(/\d{8}T.*?\//, "…/")).sort()).toEqual([
      ".credentials.json",
      ".sync-creds/backups/…/1/backup",
    ]);
    for (const { where } of holders) {
      expect(statSync(join(folder, where)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(folder, ".sync-creds")).mode & 0o777).toBe(0o700);
  });

  test("that a failing restart prints, or the wrapper's log holds, comes back to the screen", async () => {
    await using scene = await openScene();
    const { stage, canaries } = scene;
    await scene.push("--json");
    const cured = readHostFile(stage);
    scene.logInWith("", "access2");
    const tell = "cat ~/bearer; echo; cat ~/.claude/.credentials.json";
    scene.configure({
      restart: { kind: "command", restart: `${tell}; (${tell}) >~/told; exit 3`, log: "~/told" },
    });

    const outputs = [await scene.push("-v"), await scene.push("-v", "--json")];

    for (const { code, stdout, stderr } of outputs) {
      expect([10, 11]).toContain(code);
      expect(stdout).toContain("exit status 3");
      const traces = [stdout, stderr].map((text) => ({
        where: "the output",
        bytes: Buffer.from(text),
      }));
      expect(findLeaks(traces, canaries)).toEqual([]);
    }
    expect(readHostFile(stage)).toBe(cured);
  });
});

describe.skipIf(!hasSshd || !hasStrace)("the search for secrets", () => {
  test.each([
    ["a log", "cat ~/.claude/.credentials.json;", "wrapper.log"],
    [
      "an argument list",
      `/bin/echo "$(cat ~/.claude/.credentials.json)" >/dev/null;`,
      "sshd.strace",
    ],
    ["an environment", `LEAK="$(cat ~/.claude/.credentials.json)" /bin/true;`, "sshd.strace"],
    ["base64", "base64 ~/.claude/.credentials.json;", "wrapper.log"],
    ["hex", "od -An -v -tx1 ~/.claude/.credentials.json | tr -d ' \\n';", "wrapper.log"],
  ])("finds one that a leaky restart command puts into %s", async (_place, leak, where) => {
    await using scene = await openScene();
    const { restart } = entryOf(scene.stage);
    scene.configure({ restart: { ...restart, command: `${leak} ${restart.command}` } });

    const { code } = await scene.push("--json");

    expect(code).toBe(0);
    const { access = "" } = scene.canaries;
    expect(findLeaks(scene.traces(), { access }).join("\n")).toContain(where);
    expect(hostToken(scene.stage)).toContain(access);
  });
});

/** A stage whose every process is traced, with secrets that occur nowhere else. */
async function openScene() {
  const canaries = Object.fromEntries(
    ["access", "access2", "bad", "former", "refresh", "bearer", "mcpOfLaptop", "mcpOfHost"].map(
      (name) => [name, randomSecret()],
    ),
  );
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-traces-"));
  const recorded = join(folder, "received");
  const stage = await openStage({
    sshd: {
      trace: join(folder, "sshd.strace"),
      config: [
        "LogLevel DEBUG3",
        // Whatever the laptop sends to a command is written down on its way.
        `ForceCommand tee -a ${recorded} | /bin/sh -c "$SSH_ORIGINAL_COMMAND"`,
      ],
    },
    hostFile: JSON.stringify({
      claudeAiOauth: {
        accessToken: `sk-ant-oat01-BAD${canaries["former"]}`,
        scopes: ["user:inference"],
      },
      mcpOAuth: { notes: { accessToken: canaries["mcpOfHost"] } },
    }),
    wrapperArguments: ["--bearer-file", "~/bearer"],
  });
  writeFileSync(join(stage.sshd.home, "bearer"), canaries["bearer"] ?? "", { mode: 0o600 });
  const bearer = join(stage.laptop, "bearer");
  writeFileSync(bearer, canaries["bearer"] ?? "", { mode: 0o600 });
  const configure = (host: Record<string, unknown>): void => {
    stage.configure(host, { bearer: { file: bearer } });
  };
  configure({});
  const temporary = join(stage.laptop, "tmp");
  mkdirSync(temporary);
  const startedAt = Date.now();
  let pushes = 0;
  const outputs: Trace[] = [];

  const logInWith = (mark: string, name: string): void => {
    const login = renderLogin(`sk-ant-oat01-${mark}${canaries[name]}`, {
      refreshToken: `sk-ant-ort01-${canaries["refresh"]}`,
    });
    const mcpOAuth = { notes: { accessToken: canaries["mcpOfLaptop"] } };
    const text = JSON.stringify({ ...(JSON.parse(login) as object), mcpOAuth });
    writeFileSync(stage.laptopFile, text, { mode: 0o600 });
  };
  logInWith("", "access");

  return {
    stage,
    canaries,
    logInWith,
    configure,
    /** Pushes with every program that is started written down, arguments and environment. */
    async push(...options: string[]) {
      const trace = join(folder, `cli-${pushes++}.strace`);
      const argv = [...straceInto(trace), process.execPath, BIN, "push", "web-1", ...options];
      const env = { HOME: stage.laptop, PATH: process.env["PATH"], TMPDIR: temporary };
      const run = await collect("strace", argv, stage.laptop, env);
      outputs.push(
        ...[run.stdout, run.stderr].map((text) => ({ where: "output", bytes: Buffer.from(text) })),
      );
      return run;
    },
    /** All that the laptop has sent to commands on the host. */
    received: (): Trace => ({ where: "what the host received", bytes: readFileSync(recorded) }),
    /** All that could be seen anywhere, but for the files whose content the secrets are. */
    traces(): Trace[] {
      const claude = relative(stage.sshd.directory, dirname(stage.hostFile));
      const expected = [
        relative(stage.laptop, stage.laptopFile),
        "bearer",
        "home/bearer",
        `${claude}/.credentials.json`,
      ];
      return [
        ...outputs,
        ...tracesBelow(folder).filter(({ where }) => where !== "received"),
        ...tracesBelow(stage.laptop),
        ...tracesBelow(stage.sshd.directory),
        ...newFilesIn(tmpdir(), startedAt),
      ].filter(
        ({ where }) =>
          !expected.includes(where) && !where.startsWith(`${claude}/.sync-creds/backups/`),
      );
    },
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

function collect(program: string, argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const child = spawn(program, argv, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Plain files of a shared folder that somebody has written to since; other tests' too. */
function newFilesIn(shared: string, since: number): Trace[] {
  return readdirSync(shared, { withFileTypes: true }).flatMap((entry) => {
    const path = join(shared, entry.name);
    const isNew =
      entry.isFile() && (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since;
    return isNew ? [{ where: path, bytes: readFileSync(path) }] : [];
  });
}

function total(traces: readonly Trace[]): number {
  return traces.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
