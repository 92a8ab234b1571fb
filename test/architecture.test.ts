import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT_STATUS } from "../src/errors.ts";

const ROOT = join(import.meta.dirname, "..");

/** One room for each step of a push, in the order of the steps. */
const ROOMS = new Set([
  "locate",
  "renew",
  "validate",
  "connect",
  "probe",
  "plan",
  "install",
  "restart",
  "smoke",
  "rollout",
]);
const CORRIDOR = [
  "pipeline.ts",
  "proof.ts",
  "turns.ts",
  "visit.ts",
  "look.ts",
  "visit-host.ts",
  "backups.ts",
  "unlock.ts",
  "way-back.ts",
  "endings.ts",
  "failure.ts",
  "result.ts",
];
const FURNITURE = new Set([
  "remote",
  "hosts",
  "credentials",
  "edits",
  "tokens",
  "events",
  "output",
  "errors.ts",
  "secret.ts",
  "ports.ts",
  "purpose.ts",
  "outcome.ts",
  "diagnosis.ts",
  "once-per-run.ts",
  "time-limit.ts",
  "package-root.ts",
]);

/** Packages and effects, and the files that alone may import them when the program runs. */
const OWNERS: [what: RegExp, owners: RegExp][] = [
  [/^commander$/, /^cli\/program(?:-\w+)?\.ts$/],
  [/^@?inquirer\b/, /^cli\/prompts\.ts$/],
  [/^listr2$/, /^output\/task-list\.ts$/],
  [/^node-ssh$/, /^remote\/node-ssh-session\.ts$/],
  [/^ssh2$/, /^(?:remote|demo)\//],
  [/^zod/, /^(?:hosts|credentials|tokens|events)\//],
  [/^jsonc-parser$/, /^hosts\//],
  [/^@napi-rs\/keyring$/, /^node-keychain\.ts$/],
  [/^write-file-atomic$/, /^node-ports\.ts$/],
  // main.ts reads the version from package.json, compiled.ts the program, before anything else is loaded; package-root.ts looks
  // for our own package.json.
  [/^node:fs/, /^(?:node-ports\.ts|main\.ts|compiled\.ts|package-root\.ts|demo\/)/],
  [
    /^node:child_process$/,
    /^(?:node-run(?:-in-turn)?\.ts|remote\/openssh-(?:master|channels)\.ts|demo\/)/,
  ],
  [/^node:(?:net|tls|dgram|dns)/, /^(?:remote\/|demo\/|askpass\.ts$)/],
  [/^node:https?$/, /^(?:smoke\/exchange\.ts|demo\/)/],
];

/** Where the global `process` is touched, and what for. */
const PROCESS: Record<string, string> = {
  "askpass.ts": "it is a program of its own",
  "remote/openssh-session.ts": "where node is, for the program that asks",
  "node-run-in-turn.ts": "ends the shell that has started what waits",
  "node-ports.ts": "platform, environment, folder and account of this machine",
  "main.ts": "the streams and the environment of the terminal",
  "compiled.ts": "which node this is, and where its user keeps what can be made anew",
  "time-limit.ts": "a clock that nobody sets",
  "cli/program.ts": "the streams of the help text that the build keeps",
  "cli/local-command.ts": "whether a person can be asked on stdin, or something comes through it",
  "cli/hidden-input.ts": "a paste comes through stdin, unseen",
  "cli/doctor-bundle.ts": "the version of node, for the report",
  "cli/fleet.ts": "whether a person can be asked on stdin",
  "cli/interrupts.ts": "signals, and the end after a second one",
  "demo/embedded-host.ts": "PATH for the programs of the demo's host",
  "demo/stage.ts": "to end the demo's wrapper",
  "demo/wrapper.ts": "it is a program of its own",
};

/** Where a secret leaves its wrapping, and why it must. */
const REVEAL: Record<string, string> = {
  "credentials/fingerprint.ts": "it is hashed",
  "tokens/recognise.ts": "the token is taken out of a paste, its kind read off its prefix",
  "tokens/keep.ts": "a file keeps it",
  "node-keychain.ts": "the keychain keeps it",
  "validate/project.ts": "what may leave is cut out of the block",
  "validate/tokens.ts": "a token or key is told from another by its prefix, and put into its block",
  "plan/changes.ts": "the block is put into the host's file",
  "plan/delivery-files.ts": "a token or key is put into the file that a wrapper reads",
  "plan/failover.ts": "what a wrapper will run on is named by its fingerprint",
  "install/install.ts": "the file is sent",
  "smoke/exchange.ts": "the bearer becomes a header",
  "remote/ssh-keys.ts": "the passphrase opens a key",
  "remote/sudo.ts": "sudo reads the password on its stdin",
  "remote/ask-desk.ts": "the answer is what `ssh` asked for",
  "remote/ssh-login.ts": "the answer is what the host asked for",
  "output/sanitize.ts": "it is looked for, to be removed",
};

/** Files without effects: same question, same answer. */
const PURE = [
  "locate/sources.ts",
  "locate/keychain.ts",
  "locate/located.ts",
  "validate/validate.ts",
  "validate/misfits.ts",
  "validate/renewal.ts",
  "renew/surroundings.ts",
  "renew/answer.ts",
  "validate/project.ts",
  "connect/known-hosts.ts",
  "connect/patterns.ts",
  "connect/tokens.ts",
  "connect/uniform.ts",
  "probe/shadows.ts",
  "probe/survey.ts",
  "probe/explain.ts",
  "plan/plan.ts",
  "plan/plan-for.ts",
  "plan/plan-switch.ts",
  "plan/plan-restore.ts",
  "plan/backup-summary.ts",
  "plan/dead-login.ts",
  "plan/failover.ts",
  "plan/in-use.ts",
  "plan/chain-guard.ts",
  "plan/changes.ts",
  "plan/hazards.ts",
  "plan/unsafe-files.ts",
  "plan/cures.ts",
  "plan/delivery-files.ts",
  "plan/own-files.ts",
  "plan/plan-lines.ts",
  "plan/plan-recipe.ts",
  "plan/refusals.ts",
  "rollout/waves.ts",
  "edits/env-file.ts",
  "edits/line-at.ts",
  "edits/edit-once.ts",
  "edits/settings-file.ts",
  "edits/supervisor-conf.ts",
  "edits/wiring.ts",
  "validate/tokens.ts",
  "restart/supervisors.ts",
  "restart/found-supervisor.ts",
  "doctor/laptop-methods.ts",
  "doctor/login-checks.ts",
  "doctor/host-checks.ts",
  "doctor/host-login.ts",
  "doctor/host-methods.ts",
  "doctor/wrapper-checks.ts",
  "doctor/claude-status.ts",
  "doctor/mask.ts",
  "doctor/bundle.ts",
  "smoke/presets.ts",
  "smoke/verdict.ts",
  "smoke/classes.ts",
  "remote/backups.ts",
  "remote/frames.ts",
  "remote/probe-report.ts",
  "remote/restart-report.ts",
  "remote/inspect-report.ts",
  "hosts/ansible.ts",
  "hosts/complaint.ts",
  "hosts/edit.ts",
  "hosts/json-layout.ts",
  "hosts/parse.ts",
  "hosts/select.ts",
  "hosts/windows-acl.ts",
  "credentials/parse.ts",
  "credentials/json-text.ts",
  "tokens/recognise.ts",
  "tokens/lifetime.ts",
  "output/report.ts",
  "output/live-lines.ts",
  "output/names.ts",
  "output/doctor-report.ts",
  "output/error-message.ts",
  "output/sanitize.ts",
  "output/time.ts",
  "purpose.ts",
  "outcome.ts",
  "diagnosis.ts",
  "endings.ts",
  "failure.ts",
  "errors.ts",
];

const LONGEST_FILE = 220;
/** Longer ones: each is one story that reads better whole. */
const LONG: Record<string, number> = {};

interface Source {
  /** Path below src/. */
  readonly name: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

interface Import {
  /** A package, or a path below src/. */
  readonly to: string;
  readonly isType: boolean;
}

const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".ts"))
  .map(readSource);

describe("arrows go from the command line to the corridor, the rooms and the furniture", () => {
  test("the house is found", () => {
    const areas = new Set(sources.map(({ name }) => areaOf(name)));
    expect([...ROOMS, ...CORRIDOR].filter((area) => !areas.has(area))).toEqual([]);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
  });

  test("a room imports no other room; only the rollout knows the corridor", () => {
    const wrong = arrows(({ from, to }) => {
      if (!ROOMS.has(from) || from === to) return false;
      if (from === "rollout" && ["pipeline.ts", "turns.ts", "visit.ts"].includes(to)) return false;
      return (
        ROOMS.has(to) || CORRIDOR.includes(to) || ["cli", "demo", "doctor", "main.ts"].includes(to)
      );
    });
    expect(wrong).toEqual([]);
  });

  test("furniture imports furniture", () => {
    const wrong = arrows(
      ({ from, to, isPackage }) => FURNITURE.has(from) && !isPackage && !FURNITURE.has(to),
    );
    expect(wrong).toEqual([]);
  });

  test("from the outside a room knows how to clean what it shows, and nothing else", () => {
    const wrong = arrows(
      ({ from, to, path }) => ROOMS.has(from) && to === "output" && path !== "output/sanitize.ts",
    );
    expect(wrong).toEqual([]);
  });

  test("nobody but the two doors imports the command line, the demo or the real machine", () => {
    const outside = new Set(["cli", "demo", "main.ts", "library.ts", "node-ports.ts"]);
    const wrong = arrows(
      ({ from, to }) => outside.has(to) && !["cli", "demo", "main.ts", "library.ts"].includes(from),
    );
    expect(wrong).toEqual([]);
  });
});

describe("one owner", () => {
  test.each(OWNERS)("%s belongs to %s", (what, owners) => {
    const users = sources.filter(({ imports }) =>
      imports.some(({ to, isType }) => !isType && what.test(to)),
    );
    expect(users.length).toBeGreaterThan(0);
    expect(users.map(({ name }) => name).filter((name) => !owners.test(name))).toEqual([]);
  });

  test("every package has one", () => {
    const packages = sources.flatMap(({ imports }) =>
      imports.map(({ to }) => to).filter((to) => !to.includes(".ts") && !to.startsWith("node:")),
    );
    expect(packages.filter((name) => !OWNERS.some(([what]) => what.test(name)))).toEqual([]);
  });

  test("of the global `process`: the list", () => {
    // A process on the host may be called so as well: then it is a name of the file's own.
    const isOwnName = /\bconst process\b|\(process(?::|,|\) =>)/;
    const users = sources.filter(
      ({ code }) => /(?<![.#\w])process(?:\.\w|;)/.test(code) && !isOwnName.test(code),
    );
    expect(namesOf(users)).toEqual(Object.keys(PROCESS).sort());
  });

  test("of the environment: fewer still", () => {
    const users = sources.filter(({ code }) => /process\.env\b|\benv\b.*= process;/.test(code));
    expect(namesOf(users)).toEqual([
      "askpass.ts",
      "compiled.ts",
      "demo/embedded-host.ts",
      "demo/wrapper.ts",
      "main.ts",
      "node-ports.ts",
    ]);
  });

  test("of the console: none", () => {
    expect(namesOf(sources.filter(({ code }) => /\bconsole\./.test(code)))).toEqual([]);
  });

  test("of revealed secrets: the list", () => {
    const users = sources.filter(({ code }) => /\breveal(?:Bytes)?\(\)(?!: )/.test(code));
    expect(namesOf(users)).toEqual(Object.keys(REVEAL).sort());
  });
});

test.each(PURE)("%s is pure", (name) => {
  const { code, imports } = sources.find((source) => source.name === name)!;
  expect(code).not.toMatch(
    /\basync\b|\bawait\b|\bnew Promise\b|\bsetTimeout\b|\bDate\.now\b|\bMath\.random\b/,
  );
  const effects = imports.filter(
    ({ to, isType }) => !isType && /^node:(?!crypto|path|util)/.test(to),
  );
  expect(effects).toEqual([]);
});

describe("files", () => {
  test("have no default export", () => {
    expect(namesOf(sources.filter(({ code }) => /^export default\b/m.test(code)))).toEqual([]);
  });

  test("are called after what they are for", () => {
    const vague = /^(?:utils?|helpers?|types?|index|common|misc)\.ts$/;
    expect(namesOf(sources.filter(({ name }) => vague.test(basename(name))))).toEqual([]);
  });

  test("can be read in one sitting", () => {
    const long = sources.filter(
      ({ name, text }) => text.split("\n").length - 1 > (LONG[name] ?? LONGEST_FILE),
    );
    expect(namesOf(long)).toEqual([]);
  });
});

describe("error codes", () => {
  const codes = Object.keys(EXIT_STATUS);

  test("are all in use", () => {
    const rest = sources.filter(({ name }) => name !== "errors.ts");
    const unused = codes.filter(
      (code) => !rest.some((source) => new RegExp(`\\b${code}\\b`).test(source.code)),
    );
    expect(unused).toEqual([]);
  });

  test.skipIf(!existsSync(join(ROOT, "README.md")))("are all explained in the README", () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    expect(codes.filter((code) => !readme.includes(code))).toEqual([]);
  });
});

test("every command that a message advises exists", () => {
  const programs = sources.filter(({ name }) => name.startsWith("cli/program"));
  const commands = new Set(
    programs.flatMap(({ code }) =>
      [...code.matchAll(/\bcommand\(\s*"([a-z]+)/g)].map(([, name]) => name),
    ),
  );
  const advised = sources.flatMap(({ code }) =>
    // In backticks, be it inside quotes or, escaped, inside a template.
    [...code.matchAll(/(?:"[^"\n]*|\\)`sync-creds ([a-z]+)/g)].map(([, name]) => name),
  );
  expect(advised.length).toBeGreaterThan(5);
  expect(advised.filter((name) => !commands.has(name))).toEqual([]);
});

function readSource(name: string): Source {
  const text = readFileSync(join(ROOT, "src", name), "utf8");
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
  const stated = [...code.matchAll(/^(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"/gm)].map(
    ([, type, to = ""]) => ({ to, isType: type !== undefined }),
  );
  const later = [...code.matchAll(/\bimport\("([^"]+)"\)|^import\s+"([^"]+)"/gm)].map(
    ([, dynamic, bare = ""]) => ({ to: dynamic ?? bare, isType: false }),
  );
  const imports = [...stated, ...later].map(({ to, isType }) => ({
    to: to.startsWith(".") ? posix.join(posix.dirname(name), to) : to,
    isType,
  }));
  return { name, text, code, imports };
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly path: string;
  readonly isPackage: boolean;
}

/** All imports, of types too, that a rule calls wrong. */
function arrows(isWrong: (arrow: Arrow) => boolean): string[] {
  return sources.flatMap(({ name, imports }) =>
    imports
      .filter(({ to }) =>
        isWrong({
          from: areaOf(name),
          to: areaOf(to),
          path: to,
          isPackage: !to.endsWith(".ts"),
        }),
      )
      .map(({ to }) => `${name} -> ${to}`),
  );
}

/** The folder below src/, or the file itself when it lies at the top. */
function areaOf(path: string): string {
  return path.split("/")[0] ?? path;
}

function namesOf(some: readonly Source[]): string[] {
  return some.map(({ name }) => name).sort();
}
