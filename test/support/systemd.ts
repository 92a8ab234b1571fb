import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { installStandIn } from "./stand-in.ts";

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
  const { folder, end } = installStandIn("fake-systemctl.mjs", ["systemctl", "journalctl"]);
  const root = itsRoot ?? join(folder, "root");
  writeFileSync(join(folder, "root.path"), root === "/" ? "" : root);
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
      end(readdirSync(folder).flatMap((name) => processesIn(folder, name)));
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
