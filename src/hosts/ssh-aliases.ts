import type { Ports } from "../ports.ts";
import { errorCodeOf, pathRules, toAbsolutePath } from "./local-path.ts";
import { SyncCredsError } from "../errors.ts";

/** As deep as OpenSSH follows `Include`. */
const DEEPEST = 16;

/**
 * The names that an ssh_config gives to hosts: the plain words of its `Host` lines and those of the files it includes, each
 * once, in their order. Patterns and negations are no names. Only names are read: what they mean, `ssh` itself knows.
 * Error: `USAGE` when the file cannot be read.
 */
export async function listSshAliases(path: string, ports: Ports): Promise<string[]> {
  const aliases = new Set<string>();
  // Also ends circles: a file that is included twice has nothing new to say.
  const seen = new Set<string>();
  const visit = async (file: string, depth: number): Promise<void> => {
    if (seen.has(file) || depth > DEEPEST) return;
    seen.add(file);
    for (const [keyword, ...words] of await readLines(file, depth === 0, ports)) {
      if (keyword === "host") for (const word of words) if (isAlias(word)) aliases.add(word);
      if (keyword !== "include") continue;
      for (const word of words) {
        for (const included of await expand(word, ports)) await visit(included, depth + 1);
      }
    }
  };
  await visit(path, 0);
  return [...aliases];
}

/** One line of ssh_config(5): the keyword in lower case and its words, without quotes and comments. */
export function parseSshConfigLine(line: string): readonly string[] {
  const [, keyword = "", rest = ""] = /^\s*([^\s=#"]+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
  const words = [...rest.matchAll(/#.*|"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<plain>[^\s"']+)/g)];
  return [
    keyword.toLowerCase(),
    ...words.flatMap(
      ({ groups }) => groups?.["double"] ?? groups?.["single"] ?? groups?.["plain"] ?? [],
    ),
  ];
}

function isAlias(word: string): boolean {
  return word !== "" && !/[*?!]/.test(word);
}

async function readLines(file: string, isFirst: boolean, ports: Ports) {
  try {
    const { bytes } = await ports.files.read(file);
    return bytes.toString("utf8").split(/\r?\n/).map(parseSshConfigLine);
  } catch (error) {
    // OpenSSH passes over included files that it cannot read.
    if (!isFirst) return [];
    const code = errorCodeOf(error);
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    throw new SyncCredsError("USAGE", `no hosts can be read from ${file}`, {
      why: isMissing ? "there is no such file" : `the system said ${code}`,
      next: [
        "Name another ssh_config with `--from FILE`, or an inventory with `--ansible FILE`",
        "Or add one host after the other: `sync-creds hosts add`",
      ],
      cause: error,
    });
  }
}

/** The files that an `Include` names; a relative one starts at ~/.ssh. */
async function expand(pattern: string, ports: Ports): Promise<string[]> {
  const rules = pathRules(ports);
  const path = toAbsolutePath(pattern, rules.join(ports.home, ".ssh"), ports);
  if (!/[*?[]/.test(path)) return [path];
  const { root } = rules.parse(path);
  let found = [root];
  for (const part of path.slice(root.length).split(rules.sep)) {
    found = /[*?[]/.test(part)
      ? (await Promise.all(found.map((folder) => matchesIn(folder, part, ports)))).flat()
      : found.map((folder) => rules.join(folder, part));
  }
  return found;
}

async function matchesIn(folder: string, glob: string, ports: Ports): Promise<string[]> {
  const names = await ports.files.list(folder).catch(() => []);
  const pattern = toPattern(glob);
  return names
    .filter((name) => pattern.test(name) && (glob.startsWith(".") || !name.startsWith(".")))
    .sort()
    .map((name) => pathRules(ports).join(folder, name));
}

/** As glob(7); what is no pattern matches nothing. */
function toPattern(glob: string): RegExp {
  const source = glob.replace(/\[!?\]?[^\]]*\]|\W/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    if (part.length === 1) return `\\${part}`;
    return `[${part
      .slice(1, -1)
      .replace(/^!/, "^")
      .replace(/[\\\][]/g, String.raw`\$&`)}]`;
  });
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    return /(?!)/;
  }
}
