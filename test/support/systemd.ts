import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { endProcesses, listProcesses } from "./processes.ts";

/** A systemd for a host that has none (fake-systemctl.mjs), in a folder that comes first in the host's PATH. */
export interface FakeSystemd extends Disposable {
  readonly folder: string;
  /** Where `etc/systemd/system` of this systemd begins; units of a user lie in the home, as always. */
  readonly root: string;
  /** Writes a unit or a drop-in of the system, `NAME.service` or `NAME.service.d/50-….conf`. */
  write(name: string, text: string): string;
  /** Calls systemctl as the host would: exit status, stdout and stderr. */
  control(argv: readonly string[], env?: NodeJS.ProcessEnv): Called;
  /** Every call of systemctl so far. */
  calls(): string;
  /** Tells the next starts how to go: `fail` or `crash`, so many times. */
  next(way: "fail" | "crash", times: number): void;
}

interface Called {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Installs one; `using` ends what it has started and takes it away. Units of the system lie below `root`, if it is given. */
export function installSystemd(itsRoot?: string): FakeSystemd {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-systemd-"));
  // Any account of the host may call it.
  chmodSync(folder, 0o777);
  const root = itsRoot ?? join(folder, "root");
  for (const name of ["fake-systemctl.mjs", "unit-environment.mjs", "unit-file.mjs"]) {
    copyFileSync(join(import.meta.dirname, name), join(folder, name));
  }
  for (const name of ["systemctl", "journalctl"]) {
    const line = `exec '${process.execPath}' '${folder}/fake-systemctl.mjs' ${name} "$@"`;
    writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
  writeFileSync(join(folder, "root.path"), root === "/" ? "" : root);
  // Any account writes there, root too.
  writeFileSync(join(folder, "calls"), "");
  chmodSync(join(folder, "calls"), 0o666);
  return {
    folder,
    root,
    write(name, text) {
      const path = join(root, "etc/systemd/system", name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    },
    control: (argv, env = process.env) =>
      spawnSync(join(folder, "systemctl"), argv, { env, encoding: "utf8" }),
    calls: () => readFileSync(join(folder, "calls"), "utf8"),
    next: (way, times) => writeFileSync(join(folder, way), `${times}\n`),
    [Symbol.dispose]() {
      const started = new Set(readdirSync(folder).flatMap((name) => processesIn(folder, name)));
      endProcesses(() => listProcesses().filter(({ pid }) => started.has(pid)));
      rmSync(folder, { recursive: true });
    },
  };
}

function processesIn(folder: string, name: string): number[] {
  if (!name.endsWith(".json")) return [];
  const known = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
    pid?: number;
    loop?: number;
  };
  return [known.pid ?? 0, known.loop ?? 0].filter((pid) => pid > 1);
}
