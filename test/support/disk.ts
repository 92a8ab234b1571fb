import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Whether this account may mount; a container's root may not. Skips loudly, and fails in CI, where it may. */
export const canMount: boolean = tryMount();

function tryMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-mount-"));
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
  if (status === 0) execFileSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  if (status === 0) return true;
  if (process.env["CI"]) throw new Error("cannot mount, and in CI nothing may be skipped");
  console.warn("\n*** SKIPPED: full disks need root and mount ***\n");
  return false;
}

/** Gives the folder of a credentials file a disk of its own, with `text` as that file. */
export function mountDisk(file: string, options: string, text: string): Disposable {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `mode=700,${options}`, "tmpfs", folder]);
  writeFileSync(file, text, { mode: 0o600 });
  return { [Symbol.dispose]: () => execFileSync("umount", ["-l", folder]) };
}
