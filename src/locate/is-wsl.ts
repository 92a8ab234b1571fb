import type { Ports } from "../ports.ts";

/** Whether this is the Linux inside Windows. */
export async function isWsl({
  platform,
  env,
  files,
}: Pick<Ports, "platform" | "env" | "files">): Promise<boolean> {
  if (platform !== "linux") return false;
  if (env["WSL_DISTRO_NAME"]) return true;
  try {
    const { bytes } = await files.read("/proc/sys/kernel/osrelease");
    return /microsoft/i.test(bytes.toString("latin1"));
  } catch {
    return false;
  }
}
