import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endProcesses, listProcesses } from "./processes.ts";

/** A program that a host lacks, in a folder that comes first in its PATH. */
export interface StandIn {
  readonly folder: string;
  /** Ends what has been started through it, then itself, and takes the folder away. */
  readonly end: (started: readonly number[]) => void;
}

/**
 * Installs `names` as programs that `program` (a file beside this one, see stand-in.mjs) serves. The first call starts the
 * server: in the mount namespace and the account of whoever makes it.
 */
export function installStandIn(program: string, names: readonly string[]): StandIn {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-standin-"));
  // Any account of the host may call it.
  chmodSync(folder, 0o777);
  const server = join(import.meta.dirname, program);
  for (const name of names)
    writeFileSync(join(folder, name), renderClient(server, folder, name), { mode: 0o755 });
  return {
    folder,
    end(started) {
      const pids = new Set(started);
      const its = join(folder, "pid");
      if (existsSync(its)) pids.add(Number(readFileSync(its, "utf8")));
      endProcesses(() => listProcesses().filter(({ pid }) => pid > 1 && pids.has(pid)));
      rmSync(folder, { recursive: true, maxRetries: 5 });
    },
  };
}

/** A start of bash is a tenth of one of node. The server keeps none of the caller's files open. */
function renderClient(server: string, folder: string, name: string): string {
  return `#!/bin/bash
if ! [ -e '${folder}/port' ]; then
  if mkdir '${folder}/server' 2>/dev/null; then
    setsid '${process.execPath}' '${server}' '${folder}' </dev/null >'${folder}/server/log' 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
  fi
  until [ -e '${folder}/port' ]; do sleep 0.02; done
fi
read -r port <'${folder}/port'
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 70
cd -P .
{
  printf '%s\\0' ${name} "$EUID" "\${GROUPS[0]}" "$PWD" "$#" "$@"
  env -0
  printf '\\0end-of-call\\0'
} >&3
IFS= read -r -d '' -u 3 answer || exit 70
eval "$answer"
`;
}
