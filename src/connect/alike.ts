import { join } from "node:path";
import { errorCodeOf } from "../hosts/local-path.ts";
import type { Ports, Ran } from "../ports.ts";
import { isUniform } from "./uniform.ts";

/** One question to `ssh -G`; the host's name is the last of its arguments. */
export interface Question {
  readonly host: string;
  readonly argv: readonly string[];
}

type Answer = Promise<Ran | undefined>;
type RunInTurn = NonNullable<Ports["runInTurn"]>;

/** Questions that differ in nothing but the host's name. */
interface Group {
  readonly first: Question;
  readonly second: Question;
  readonly rest: readonly Question[];
}

/** With fewer, what is spared is not worth a question that was asked in vain. */
const FEWEST = 4;
/** `ssh` cuts what it tells of longer paths. */
const LONGEST_PATH = 199;

/**
 * Asks `ssh` all questions in turn, but of a group only the first two where the others' answers follow from these.
 * They follow because
 * - the arguments are the same but for a plain name: what a name can do beyond being compared or printed (be an odd way to
 *   write an address, be folded to lower case, hold a user or a port) no plain name does;
 * - no file that `ssh` has read, in its own words (`-v`), tells these names apart (`isUniform`), so the same lines apply
 *   to all, and no name is looked up in DNS;
 * - where a value is made with the name (`%h`, `%C`), the first two answers differ in more than the name itself;
 * - there is no `ProxyJump`, which must not lead to the host itself;
 * - `ssh` is a program and no script, which could do anything with a name.
 * If one of these is not so, the others are asked themselves; a second question put with `-v` is put again, because
 * `-v` changes the `LogLevel` of the answer.
 */
export function askAlike(
  questions: readonly Question[],
  ports: Ports,
  runInTurn: RunInTurn,
): Answer[] {
  const groups = groupsOf(questions);
  const verbose = new Set(groups.map(({ second }) => second));
  const later = new Set(groups.flatMap(({ rest }) => rest));
  const now = questions.filter((question) => !later.has(question));
  const argvs = now.map((question) =>
    verbose.has(question) ? ["-v", ...question.argv] : question.argv,
  );
  const runs = runInTurn("ssh", argvs);
  // While `ssh` is at work: the program is large.
  const isBinary = groups.length > 0 && isProgram(ports);
  const answers = new Map(now.map((question, index) => [question, runs[index]!]));
  for (const { first, second, rest } of groups) {
    const others = [second, ...rest];
    const known = Promise.all([answers.get(first), answers.get(second), isBinary]);
    const found = known.then((all) => answerOthers(first, others, all, ports, runInTurn));
    for (const [index, question] of others.entries())
      answers.set(
        question,
        found.then((all) => all[index]),
      );
  }
  return questions.map((question) => answers.get(question)!);
}

function groupsOf(questions: readonly Question[]): Group[] {
  const groups = new Map<string, Question[]>();
  for (const question of questions) {
    if (!isPlain(question.host)) continue;
    const key = question.argv.slice(0, -1).join("\0");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [question]);
    else group.push(question);
  }
  return [...groups.values()]
    .filter(({ length }) => length >= FEWEST)
    .map(([first, second, ...rest]) => ({ first: first!, second: second!, rest }));
}

/** A name that `ssh` takes as it is. `10.1`, `0x7f.1` and `10.0.0.01` are addresses that it would write otherwise. */
function isPlain(host: string): boolean {
  const parts = host.split(".");
  const isAddress =
    parts.length === 4 && parts.every((part) => String(Number(part) & 255) === part);
  return isAddress || /^[a-z][a-z0-9.-]*$/.test(host);
}

/** The answers to all of a group but the first, whose own is given together with that of the second (with `-v`). */
async function answerOthers(
  first: Question,
  others: readonly Question[],
  [one, two, isBinary]: readonly [Ran | undefined, Ran | undefined, boolean],
  ports: Ports,
  runInTurn: RunInTurn,
): Promise<(Ran | undefined | Answer)[]> {
  // The configuration waits for something, or there is no `ssh`: nobody waits for anybody then.
  if (one === undefined || two === undefined) return others.map(() => undefined);
  const names = [first, ...others].map(({ host }) => host);
  if (!isBinary || !(await areAlike(names, one, two, ports)))
    return runInTurn(
      "ssh",
      others.map(({ argv }) => argv),
    );
  return others.map(({ host }) => ({ ...one, stdout: rename(one.stdout, first.host, host) }));
}

async function areAlike(names: readonly string[], one: Ran, two: Ran, ports: Ports) {
  const [first = "", second = ""] = names;
  if (one.code !== 0 || two.code !== 0 || /^proxyjump (?!none$)/m.test(one.stdout)) return false;
  const expected = rename(one.stdout, first, second);
  if (withoutLogLevel(expected) !== withoutLogLevel(two.stdout)) return false;
  const read = [...two.stderr.matchAll(/^debug1: Reading configuration data (.*?)\r?$/gm)];
  const paths = [...new Set(read.map(([, path = ""]) => path))];
  const checks = paths.map((path) => isUniformFile(path, new Set(names), ports));
  return paths.length > 0 && (await Promise.all(checks)).every(Boolean);
}

function rename(answer: string, from: string, to: string): string {
  return answer.replace(/^(host|hostname) (.*)$/gm, (line, keyword: string, name: string) =>
    name === from ? `${keyword} ${to}` : line,
  );
}

function withoutLogLevel(answer: string): string {
  return answer.replace(/^loglevel .*\n/m, "");
}

async function isUniformFile(path: string, names: ReadonlySet<string>, ports: Ports) {
  if (path.length > LONGEST_PATH) return false;
  try {
    const { bytes } = await ports.files.read(path);
    return isUniform(bytes.toString("latin1"), names);
  } catch {
    return false;
  }
}

/** Whether the `ssh` of PATH is machine code. */
async function isProgram({ env, files }: Ports): Promise<boolean> {
  for (const folder of env["PATH"]?.split(":") ?? []) {
    try {
      const { bytes, mode } = await files.read(join(folder, "ssh"));
      if ((mode & 0o111) !== 0) return bytes.subarray(0, 64).includes(0);
    } catch (error) {
      if (errorCodeOf(error) !== "ENOENT") return false;
    }
  }
  return false;
}
