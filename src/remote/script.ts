import { packageFile } from "../package-root.ts";
import type { Files } from "../ports.ts";
import { renderScript } from "./frames.ts";

/** The remote half as it is sent. It is shipped as the file that a person can read, and slimmed here. */
export async function loadScript(files: Files): Promise<string> {
  const { bytes } = await files.read(SCRIPT_PATH);
  return renderScript(bytes.toString("utf8"));
}

const SCRIPT_PATH = packageFile("src", "remote", "remote-half.sh");
