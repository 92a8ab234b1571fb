import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Path of a file of this package, wherever the code that asks has been built to. */
export function packageFile(...path: string[]): string {
  return join(ROOT, ...path);
}

const ROOT = dirname(createRequire(import.meta.url).resolve("sync-creds/package.json"));
