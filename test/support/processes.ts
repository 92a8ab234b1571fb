import { execFileSync } from "node:child_process";

/** A process of this machine, as `ps` shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly uid: number;
  readonly command: string;
}

/** The processes that run now, `ps` itself left out. */
export function listProcesses(): ProcessEntry[] {
  const table = execFileSync("ps", ["-A", "-ww", "-o", "pid=,uid=,stat=,args="], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return table.split("\n").flatMap((line) => {
    const [, pid, uid, state = "", command = ""] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state.startsWith("Z") || command.startsWith("ps ")) return [];
    return [{ pid: Number(pid), uid: Number(uid), command }];
  });
}

/** The processes whose command line holds `text`: the name of a test's own folder is in no other. */
export function processesNaming(text: string): ProcessEntry[] {
  return listProcesses().filter(
    ({ pid, command }) => pid !== process.pid && command.includes(text),
  );
}

/** Ends processes that a test started, by their ids; `find` is asked until it finds none. */
export function endProcesses(find: () => readonly ProcessEntry[]): void {
  for (let left = 20; left > 0; left--) {
    const found = find();
    if (found.length === 0) return;
    for (const { pid } of found) kill(pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
