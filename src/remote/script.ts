import { packageFile } from "../package-root.ts";
import type { Files } from "../ports.ts";
import { renderScript } from "./frames.ts";

/** The files of the remote half, in the order they are joined: functions first, what runs them last. */
export const SCRIPT_FILES = ["supervisors.sh", "look.sh", "inspect.sh", "remote-half.sh"].map(
  (name) => packageFile("src", "remote", name),
);

/** The remote half as it is sent. It is shipped as the files that a person can read, and slimmed here. */
export async function loadScript(files: Files): Promise<string> {
  const parts = await Promise.all(SCRIPT_FILES.map((path) => files.read(path)));
  return renderScript(parts.map(({ bytes }) => bytes.toString("utf8")).join("\n"));
}
