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
import { randomSecret, tracesBelow } from "./canaries.ts";
import type { Trace } from "./canaries.ts";
import { openStage, renderLogin } from "./stage.ts";
import { straceInto } from "./strace.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));

/** A stage whose every process is traced, with secrets that occur nowhere else. */
export async function openTracedStage() {
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
      const expected = new Set([
        relative(stage.laptop, stage.laptopFile),
        "bearer",
        "home/bearer",
        `${claude}/.credentials.json`,
      ]);
      return [
        ...outputs,
        ...tracesBelow(folder).filter(({ where }) => where !== "received"),
        ...tracesBelow(stage.laptop),
        ...tracesBelow(stage.sshd.directory),
        ...newFilesIn(tmpdir(), startedAt),
      ].filter(
        ({ where }) => !expected.has(where) && !where.startsWith(`${claude}/.sync-creds/backups/`),
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
