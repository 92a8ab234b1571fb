import { packageFile } from "../package-root.ts";
import type { Files } from "../ports.ts";
import { renderScript } from "./frames.ts";

/** The files of the remote half, in the order they are joined: functions first, what runs them last. */
export const SCRIPT_FILES = [
  "toolbox.sh",
  "supervisors.sh",
  "look.sh",
  "inspect.sh",
  "remote-half.sh",
].map((name) => packageFile("src", "remote", name));

/**
 * The remote half as it is sent, the same bytes to all hosts of a run. It is shipped as the files that a person can read,
 * and slimmed here. The verb `inspect` is the doctor's alone.
 */
export async function loadScript(
  files: Files,
  { inspects = false }: { readonly inspects?: boolean } = {},
): Promise<Buffer> {
  const wanted = SCRIPT_FILES.filter((path) => inspects || !path.endsWith("inspect.sh"));
  const parts = await Promise.all(wanted.map((path) => files.read(path)));
  return Buffer.from(renderScript(parts.map(({ bytes }) => bytes.toString("utf8")).join("\n")));
}
