import { spawnSync } from "node:child_process";
import { OWN_ETC } from "./sshd.ts";

/** Whether a host can have an /etc of its own: that needs root, and overlays in a mount namespace. In CI it must. */
export const hasOwnEtc: boolean = canLayOver() || missing();

function canLayOver(): boolean {
  const [program, ...argv] = OWN_ETC;
  return process.getuid?.() === 0 && spawnSync(program, [...argv, "true"]).status === 0;
}

function missing(): false {
  if (process.env["CI"]) throw new Error("an /etc of its own needs root and overlays, also in CI");
  console.warn("\n*** SKIPPED: no host can have an /etc of its own: that needs root ***\n");
  return false;
}
