import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

const CLAUDE = join(import.meta.dirname, "claude.mjs");

/** Texts by path below the world's folder: `home/…`, `cwd/…`, `managed.json`. */
export type Files = Readonly<Record<string, string>>;

/** A folder with a home, a working directory and a managed settings file; the world the client is started in. */
export function openWorld(files: Files): { folder: string; path: (name: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-claude-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ["home/.claude", "cwd"]) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  return { folder, path: (name) => join(folder, name) };
}

/** Runs claude.mjs there: exit status, and what it printed. */
export function runClaude(
  folder: string,
  env: Readonly<Record<string, string>> = {},
  argv: readonly string[] = ["-p"],
  stdin = "Say the word pong\n",
): Promise<{ code: number; stdout: string }> {
  const base = {
    HOME: join(folder, "home"),
    PATH: process.env["PATH"],
    STANDIN_MANAGED_SETTINGS: join(folder, "managed.json"),
  };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLAUDE, ...argv],
      { cwd: join(folder, "cwd"), env: { ...base, ...env } },
      (_error, stdout) => resolve({ code: child.exitCode ?? -1, stdout: stdout.trim() }),
    );
    child.stdin?.end(stdin);
  });
}

/** The text of a file, `undefined` when there is none. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
