import { execFileSync } from "node:child_process";

/** Whether programs can be traced here. Without `strace` tests skip, loudly; in CI they fail. */
export const hasStrace: boolean = works() || missing();

/** The arguments for `strace` that write down every program started, with arguments and environment in full; it ends at SIGTERM. */
export function straceInto(file: string): string[] {
  return ["-f", "-I", "2", "-e", "trace=execve", "-v", "-s", "65535", "-o", file];
}

function works(): boolean {
  try {
    execFileSync("strace", [...straceInto("/dev/null"), "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function missing(): false {
  if (process.env["CI"]) throw new Error("strace does not work, and CI may not do without");
  console.warn("\n*** SKIPPED: strace does not work; the search for secrets does not run ***\n");
  return false;
}
