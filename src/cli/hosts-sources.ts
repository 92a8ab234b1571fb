import { SyncCredsError } from "../errors.ts";
import type { Found } from "../hosts/candidates.ts";
import type { Draft } from "../hosts/draft.ts";
import { errorCodeOf, pathRules, toAbsolutePath } from "../hosts/local-path.ts";
import { listSshAliases } from "../hosts/ssh-aliases.ts";
import type { Ports } from "../ports.ts";
import type { LocalWorld } from "./local-command.ts";

/** Where hosts are imported from. */
export interface SourceOptions {
  /** Another ssh_config than the user's own. */
  readonly from?: string;
  /** The JSON of `ansible-inventory --list`; `-` is stdin. */
  readonly ansible?: string;
}

/** The hosts that an import can choose from. */
export interface Source {
  readonly found: readonly Found[];
  /** What hosts.json must say for them to be reached; it says it already when absent. */
  readonly sshConfig?: string;
}

/** Reads the inventory, the ssh_config named, or the one that hosts.json uses. Errors: `USAGE`, `INPUT_NEEDED`. */
export async function readSource(
  draft: Draft,
  { from, ansible }: SourceOptions,
  world: LocalWorld,
): Promise<Source> {
  if (ansible !== undefined) return { found: await readInventory(ansible, world) };
  const { path, ...source } = chooseSshConfig(draft, from, world.ports);
  const aliases = await listSshAliases(path, world.ports);
  const found = aliases.map((name) => ({ name, entry: { ssh: name }, groups: [], notes: [] }));
  return { found, ...source };
}

/** All hosts of a file are resolved by the same ssh_config. Error: `USAGE` when that is another one than `--from` names. */
function chooseSshConfig(
  { content, origin }: Draft,
  from: string | undefined,
  ports: Ports,
): { path: string; sshConfig?: string } {
  const rules = pathRules(ports);
  const own = rules.join(ports.home, ".ssh", "config");
  const current = content.sshConfig === undefined ? own : origin.toAbsolute(content.sshConfig);
  const path = from === undefined ? current : toAbsolutePath(from, ports.cwd, ports);
  if (path === current) return { path };
  if (content.sshConfig === undefined && Object.keys(content.hosts).length === 0) {
    return { path, sshConfig: toLocalPath(path, rules.dirname(origin.path), ports) };
  }
  throw new SyncCredsError("USAGE", `the hosts of ${origin.shownAs} use another ssh_config`, {
    why: `one ssh_config serves the whole file, here ${current}; with ${path} the hosts that are there could lead elsewhere`,
    next: [
      "Give the new hosts a file of their own: add `-c other-hosts.json`",
      ...(content.sshConfig === undefined
        ? [`Or, if all of them shall use it, write \`sshConfig\` into ${origin.shownAs} yourself`]
        : []),
    ],
  });
}

/** As it stands in hosts.json: from its folder, from home, or absolute. */
function toLocalPath(path: string, folder: string, ports: Ports): string {
  const rules = pathRules(ports);
  const below = (base: string) => {
    const inside = rules.relative(base, path);
    return inside.startsWith("..") || rules.isAbsolute(inside)
      ? undefined
      : inside.replaceAll("\\", "/");
  };
  const nearby = below(folder);
  if (nearby !== undefined) return `./${nearby}`;
  const atHome = below(ports.home);
  return atHome === undefined ? path : `~/${atHome}`;
}

async function readInventory(
  source: string,
  { ports, readInput }: LocalWorld,
): Promise<readonly Found[]> {
  const { parseInventory } = await import("../hosts/ansible.ts");
  if (source === "-") return parseInventory(await readInput(HOW_TO_PIPE), "stdin");
  const path = toAbsolutePath(source, ports.cwd, ports);
  try {
    return parseInventory((await ports.files.read(path)).bytes.toString("utf8"), source);
  } catch (error) {
    if (error instanceof SyncCredsError) throw error;
    throw new SyncCredsError("USAGE", `${source} cannot be read`, {
      why: `the system said ${errorCodeOf(error)}`,
      next: ["Correct the path, or pipe the inventory in with `--ansible -`"],
      cause: error,
    });
  }
}

const HOW_TO_PIPE =
  "Pipe it in: `ansible-inventory --list | sync-creds hosts import --ansible - --all`";
