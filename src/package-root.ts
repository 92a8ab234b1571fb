import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of a file of this package, wherever the code that asks has been built to. */
export function packageFile(...path: string[]): string {
  return join(ROOT, ...path);
}

const ROOT = findRoot();

/** The nearest package is ours, unless somebody has bundled us into theirs: only then node is asked, which takes its time. */
function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  const file = join(folder, "package.json");
  if (existsSync(file) && readFileSync(file, "utf8").includes('"name": "sync-creds"')) {
    return folder;
  }
  return dirname(createRequire(import.meta.url).resolve("sync-creds/package.json"));
}
