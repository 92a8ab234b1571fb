import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installStandIn } from "./stand-in.ts";

/** A docker with compose for a host that has none (fake-docker.mjs), in a folder that comes first in the host's PATH. */
export interface FakeDocker extends Disposable {
  readonly folder: string;
  /** Calls docker as the host would: exit status, stdout and stderr. */
  call(argv: readonly string[], cwd: string, env?: NodeJS.ProcessEnv): Called;
  /** Every call so far. */
  calls(): string;
  /** Lets the next starts of a container fail, so many times. */
  failNext(times: number): void;
  /** From now on nobody may talk to the daemon. */
  deny(): void;
}

interface Called {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Installs one; `using` ends its containers and takes it away. */
export function installDocker(): FakeDocker {
  const { folder, end } = installStandIn("fake-docker.mjs", ["docker"]);
  const state = join(folder, "containers.json");
  return {
    folder,
    call: (argv, cwd, env = { PATH: process.env["PATH"] }) =>
      spawnSync(join(folder, "docker"), argv, { cwd, env, encoding: "utf8" }),
    calls: () => readFileSync(join(folder, "calls"), "utf8"),
    failNext: (times) => writeFileSync(join(folder, "fail"), `${times}\n`),
    deny: () => writeFileSync(join(folder, "denied"), ""),
    [Symbol.dispose]() {
      const known = existsSync(state)
        ? (JSON.parse(readFileSync(state, "utf8")) as { pid?: number }[])
        : [];
      end(known.map(({ pid }) => pid ?? 0));
    },
  };
}
