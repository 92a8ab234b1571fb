import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is installed. Without it tests skip, loudly; in CI they fail. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const found = folders.map((folder) => join(folder, name)).find((path) => isProgram(path));
  if (found === undefined) {
    if (process.env["CI"])
      throw new Error(`${name} is not installed, and in CI nothing may be skipped`);
    console.warn(`\n*** SKIPPED: ${name} is not installed; tests that need it do not run ***\n`);
  }
  return found;
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
