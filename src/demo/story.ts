import { access, constants, readFile } from "node:fs/promises";
import { SyncCredsError, toSyncCredsError } from "../errors.ts";
import { renderError } from "../output/error-message.ts";
import { paintFor } from "../output/terminal.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { startWrapper } from "./first-start.ts";
import { withStage, write } from "./stage.ts";
import type { Stage } from "./stage.ts";

export interface DemoWorld {
  /** The real machine. Only its clock, its random bytes and its disk are used. */
  readonly ports: Ports;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** `sync-creds push demo` in the world of these ports; resolves with the exit status. */
export type Push = (ports: Ports) => Promise<number>;

/**
 * Three real pushes to a host inside this process: a cure, one that has nothing to do, and one that must go back. Each
 * is checked by what it left behind, so the demo is a self-test too. Resolves with the exit status: 0, 1 when a push
 * did not end as promised, 130 when interrupted. Leaves nothing behind; never rejects.
 */
export async function runDemo(world: DemoWorld, push: Push): Promise<number> {
  const { ports, terminal, signal } = world;
  const paint = paintFor(terminal.stdout, terminal.env);
  const tick = paint("green", "✔");
  const say = (text: string) => void terminal.stdout.write(`${text}\n`);
  try {
    await verifyShell(ports);
    await withStage(ports, async (stage) => {
      say(
        "A laptop and a host in a temporary folder: the SSH, the shell and the pushes are real, the login is not.",
      );
      await writeLogin(stage.hostFile, "");
      await startWrapper(stage.ports, signal);
      say(`The host's login is dead. Its wrapper answers: ${await ask(stage)}`);
      let before = await look(stage);
      for (const [index, scene] of SCENES.entries()) {
        say(`\n${paint("bold", `${index + 1}. ${scene.title}`)}`);
        await scene.prepare(stage);
        say(paint("dim", "$ sync-creds push demo"));
        const status = await push(stage.ports);
        if (signal.aborted) throw interrupted();
        const after = await look(stage);
        verify(scene, status, before, after);
        say(`${tick} ${scene.moral} The wrapper answers: ${after.reply}`);
        before = after;
      }
    });
    say(`\n${tick} All three ended as promised, and everything was removed again.`);
    return 0;
  } catch (thrown) {
    const error = signal.aborted ? interrupted() : toSyncCredsError(thrown);
    const errorPaint = paintFor(terminal.stderr, terminal.env);
    terminal.stderr.write(renderError(error, errorPaint, error.code === "BUG"));
    return error.exitStatus;
  }
}

interface Scene {
  readonly title: string;
  readonly moral: string;
  readonly prepare: (stage: Stage) => Promise<void>;
  readonly status: number;
  /** What the host's own history gains. */
  readonly remembered: readonly string[];
  readonly changesFile: boolean;
}

const WORD = "pong";
const OTHER_LOGIN = "CANARY-MCP";

const SCENES: readonly Scene[] = [
  {
    title: "A good login on the laptop: the push cures the host.",
    moral:
      "The access token went, the refresh token stayed here, the host's other keys are untouched.",
    prepare: ({ laptopFile, ports }) => writeLogin(laptopFile, `GOOD-${ports.randomHex(16)}`),
    status: 0,
    remembered: ["committed"],
    changesFile: true,
  },
  {
    title: "The same again: nothing to do.",
    moral: "The host was asked, and left alone.",
    prepare: async () => {},
    status: 0,
    remembered: [],
    changesFile: false,
  },
  {
    title: "A login that was revoked: the push goes back.",
    moral: "The file is byte for byte what it was.",
    prepare: ({ laptopFile, ports }) => writeLogin(laptopFile, `BAD-${ports.randomHex(16)}`),
    status: 10,
    remembered: ["rolled-back"],
    changesFile: false,
  },
];

interface Sight {
  readonly file: Buffer;
  /** The ends of all runs so far, in the host's own words. */
  readonly history: readonly string[];
  readonly reply: string;
}

async function look(stage: Stage): Promise<Sight> {
  const history = await readFile(stage.hostHistory, "utf8").catch(() => "");
  return {
    file: await readFile(stage.hostFile),
    history: history.split("\n").flatMap((line) => line.split("\t")[2] ?? []),
    reply: await ask(stage),
  };
}

/** Asks the wrapper directly, past everything that is shown here. */
async function ask({ wrapperUrl }: Stage): Promise<string> {
  const body = JSON.stringify({ message: `Say ${WORD}` });
  const signal = AbortSignal.timeout(5000);
  const reply = await fetch(`${wrapperUrl}/chat`, { method: "POST", body, signal });
  const json: unknown = await reply.json();
  return typeof json === "object" && json !== null && "response" in json
    ? String(json.response)
    : "";
}

/** What the push said is not asked: its exit status, the host's files and the wrapper's reply tell. */
function verify(scene: Scene, status: number, before: Sight, after: Sight): void {
  const gained = after.history.slice(before.history.length).join(", ");
  const wanted = scene.remembered.join(", ");
  const faults = [
    status === scene.status ? [] : `it ended with ${status} and not with ${scene.status}`,
    gained === wanted ? [] : `the host remembers "${gained}" and not "${wanted}"`,
    after.file.equals(before.file) !== scene.changesFile
      ? []
      : `the host's file ${scene.changesFile ? "is the same" : "is another one"}`,
    after.file.includes("sk-ant-ort01") ? "a refresh token left the laptop" : [],
    after.file.includes(OTHER_LOGIN) ? [] : "another login in the host's file is gone",
    after.reply === WORD ? [] : `the wrapper answers "${after.reply}"`,
  ].flat();
  if (faults.length === 0) return;
  throw new SyncCredsError("BUG", `the demo did not go as promised: ${scene.title}`, {
    why: faults.join("; "),
    next: ["Report what stands above"],
  });
}

/** A credentials file as Claude Code writes it; a blanked one when `name` is empty. Nothing in it is real. */
async function writeLogin(path: string, name: string): Promise<void> {
  const now = Date.now();
  const claudeAiOauth = {
    accessToken: name === "" ? "" : `sk-ant-oat01-CANARY-${name}`,
    refreshToken: name === "" ? "" : `sk-ant-ort01-CANARY-${name}`,
    expiresAt: name === "" ? 0 : now + 6 * HOUR_MS,
    refreshTokenExpiresAt: name === "" ? 0 : now + 30 * 24 * HOUR_MS,
    scopes: ["user:inference", "user:profile"],
    subscriptionType: "max",
  };
  const mcpOAuth = { "notes|demo": { serverName: "notes", accessToken: OTHER_LOGIN } };
  await write(path, JSON.stringify({ claudeAiOauth, mcpOAuth }));
}

const HOUR_MS = 3_600_000;

async function verifyShell({ platform }: Ports): Promise<void> {
  const canRun = access("/bin/sh", constants.X_OK).then(
    () => true,
    () => false,
  );
  if (platform !== "win32" && (await canRun)) return;
  throw new SyncCredsError("USAGE", "the demo cannot run here", {
    why: "its host needs a POSIX shell, and there is no /bin/sh",
    next: ["Run it on Linux, on macOS, or in WSL"],
  });
}

function interrupted(): SyncCredsError {
  return new SyncCredsError("INTERRUPTED", "the demo was interrupted", {
    why: "everything it had made was removed again",
  });
}
