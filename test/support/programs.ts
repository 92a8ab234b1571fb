import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is installed: in the PATH, or beside it. Without it tests skip, loudly; in CI they fail. */
export function findProgram(name: string, beside: readonly string[] = []): string | undefined {
  const search = (process.env["PATH"] ?? "").split(delimiter);
  const folders = [...search, "/usr/sbin", "/sbin", ...beside];
  const found = folders.map((folder) => join(folder, name)).find((path) => isProgram(path));
  if (found === undefined) {
    if (process.env["CI"])
      throw new Error(`${name} is not installed, and in CI nothing may be skipped`);
    console.warn(`\n*** SKIPPED: ${name} is not installed; tests that need it do not run ***\n`);
  }
  return found;
}

/** As `findProgram`, but Python itself: what a version manager puts in its place works in no other PATH. */
export function findInterpreter(name: string): string | undefined {
  const program = findProgram(name);
  if (program === undefined || name !== "python3") return program;
  const argv = ["-c", "import sys; print(sys.executable)"];
  return execFileSync(program, argv, { encoding: "utf8" }).trim();
}

/** Whether a path is a program that this account may run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
