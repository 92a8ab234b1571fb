import { execFile } from "node:child_process";
import { access, appendFile, lstat, readFile } from "node:fs/promises";
import type { Files, Ports } from "../../src/ports.ts";
import { fakePorts } from "./fake-ports.ts";

/** Ports whose files and programs are real; home, environment and human are what the test says. */
export function diskPorts(home: string, different: Partial<Ports> = {}): Ports {
  return {
    ...fakePorts(),
    home,
    uid: process.getuid?.(),
    run: (program, argv, { timeoutMs }) =>
      new Promise((resolve, reject) => {
        execFile(program, [...argv], { timeout: timeoutMs }, (error, stdout, stderr) => {
          const code = error?.code ?? 0;
          if (typeof code === "string") reject(error ?? new Error(code));
          else resolve({ code, stdout, stderr });
        });
      }),
    files: DISK,
    ...different,
  };
}

const DISK: Files = {
  read: async (path) => {
    const { mode, uid, size, mtimeMs, ino } = await lstat(path);
    const bytes = await readFile(path);
    return {
      bytes,
      mode: mode & 0o7777,
      uid,
      size,
      modifiedAt: mtimeMs,
      inode: ino,
      isLink: false,
    };
  },
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  appendLine: (path, line) => appendFile(path, `${line}\n`),
};
