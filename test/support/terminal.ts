import { execFileSync, spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { SHARED_CACHE } from "./program-cache.ts";
import type { Stage } from "./stage.ts";
import { until } from "./until.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));

/** Whether terminals can be had here: `script` of util-linux makes them. In CI it must be there. */
export const hasScript: boolean = isUtilLinux() || missing();

/** `sync-creds` on a terminal of its own, with somebody who types. */
export interface TerminalRun {
  /** Everything that was written to the terminal, escape sequences included. */
  raw(): string;
  /** Waits until the terminal has shown a text (escape sequences aside). */
  shows(text: string | RegExp): Promise<void>;
  type(keys: string): void;
  /** The exit status. */
  readonly ended: Promise<number | null>;
}

/**
 * Runs `sync-creds …argv` in the laptop's home on a terminal of 40 rows and 100 columns. `pipe` names a program that its stdout
 * goes through.
 */
export function openTerminal(
  stage: Pick<Stage, "laptop">,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  pipe?: string,
): TerminalRun {
  const piped = pipe === undefined ? [] : ["/bin/sh", "-c", `"$@" | ${pipe}`, "sh"];
  return openProgram([...piped, process.execPath, BIN, ...argv], {
    cwd: stage.laptop,
    env: {
      HOME: stage.laptop,
      PATH: [join(stage.laptop, "bin"), process.env["PATH"]].join(delimiter),
      SYNC_CREDS_TOKEN_STORE: "file",
      XDG_STATE_HOME: join(stage.laptop, "state"),
      ...SHARED_CACHE,
      ...env,
    },
  });
}

/** Runs any program on a terminal of that size. */
export function openProgram(
  words: readonly string[],
  { cwd, env = { PATH: process.env["PATH"] } }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): TerminalRun {
  const command = words.map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qfec", `stty rows 40 cols 100; exec ${command}`, "/dev/null"], {
    ...(cwd !== undefined && { cwd }),
    env: { TERM: "xterm-256color", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let written = "";
  let isOver = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (written += text));
  child.stdin.on("error", () => undefined); // it may end while somebody types
  const ended = new Promise<number | null>((resolve) =>
    child.on("close", (code) => {
      isOver = true;
      resolve(code);
    }),
  );
  return {
    raw: () => written,
    shows: (text) =>
      until(`the terminal shows ${String(text)}`, () => {
        const plain = stripVTControlCharacters(written);
        const isShown = typeof text === "string" ? plain.includes(text) : text.test(plain);
        if (!isShown && isOver)
          throw new Error(`it ended without showing ${String(text)}: ${plain}`);
        return isShown;
      }),
    type: (keys) => void child.stdin.write(keys),
    ended,
  };
}

function isUtilLinux(): boolean {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
}

function missing(): false {
  if (process.env["CI"])
    throw new Error("script is not installed, and in CI nothing may be skipped");
  console.warn(
    "\n*** SKIPPED: script (util-linux) is not installed; tests on a terminal do not run ***\n",
  );
  return false;
}
