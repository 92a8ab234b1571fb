import { execFileSync } from "node:child_process";

/** Whether programs can be traced here. Without `strace` tests skip, loudly; in CI they fail. */
export const hasStrace: boolean = works() || missing();

/** The arguments for `strace` that write down every program started, with arguments and environment in full; it ends at SIGTERM. */
export function straceInto(file: string): string[] {
  return ["-f", "-I", "2", "-e", "trace=execve", "-v", "-s", "65535", "-o", file];
}

/** The command line that starts what follows with every change it makes to files written down; `writesIn` reads it. */
export function straceFilesInto(file: string): string[] {
  const calls = "%file,open,openat,creat,mkdir,rename,link,symlink,unlink,truncate,chmod,chown";
  return ["strace", "-f", "-qq", "-s", "300", "-o", file, "-e", `trace=${calls}`];
}

/** The calls that made, changed or opened for writing any file but `/dev/null`. */
export function writesIn(trace: string): string[] {
  return trace
    .split("\n")
    .filter(
      (line) =>
        !line.includes("= -1 ") &&
        (/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(line)
          ? !/"\/dev\/(?:null|tty)"/.test(line)
          : CHANGES.test(line)),
    );
}

const CHANGES =
  /\b(?:creat|mkdir|mkdirat|rename\w*|link|linkat|symlink\w*|unlink\w*|rmdir|truncate|f?chmod\w*|l?f?chown\w*|utime\w*|mknod\w*)\(/;

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
