import { fingerprintOf } from "../credentials/fingerprint.ts";
import { SyncCredsError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { Secret } from "../secret.ts";
import { readEntry, TOKEN_NAME, tokenPath } from "../tokens/entries.ts";
import type { TokenEntry } from "../tokens/entries.ts";
import { keepToken } from "../tokens/keep.ts";
import { recogniseToken } from "../tokens/recognise.ts";
import type { Recognised } from "../tokens/recognise.ts";
import { renderHostsResult } from "./hosts-output.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";
import { describeToken, viewOf } from "./token-output.ts";

/** The options of `token set`. */
export interface SetOptions extends LocalOptions {
  /** `YYYY-MM-DD`, as the user types it. */
  readonly issued?: string;
  readonly yes?: boolean;
}

/**
 * `token set NAME`: takes a token from the pipe or a hidden prompt and stores it. Errors: `USAGE`, `INPUT_NEEDED`,
 * `TOKEN_UNUSABLE`, `TOKEN_STORE`, `INTERRUPTED`; then nothing is changed.
 */
export async function setToken(
  name: string,
  options: SetOptions,
  { ports, terminal, readInput }: LocalWorld,
): Promise<number> {
  verifyName(name);
  const saidIssuedAt = options.issued === undefined ? undefined : parseDay(options.issued, ports);
  const pasted =
    ports.human === undefined
      ? new Secret(await readInput(`Pipe the token in: \`… | sync-creds token set ${name}\``))
      : await ports.human.password(QUESTION, { manyLines: true });
  const recognised = recogniseToken(pasted);
  const { secret, kind } = recognised;

  const former = await findFormer(name, ports);
  const isSame = former?.fingerprint === fingerprintOf(secret);
  if (former !== undefined && !isSame && options.yes !== true) {
    await verifyReplacement(name, former.fingerprint, ports);
  }
  // The same token once more is no younger for it.
  const knownAt = isSame ? former.issuedAt : undefined;
  const issuedAt = saidIssuedAt ?? knownAt ?? ports.now();
  const { entry, notes } = await keepToken(name, secret, { kind, issuedAt }, ports);

  const view = viewOf(name, entry, ports);
  terminal.stdout.write(
    options.json === true
      ? renderHostsResult(0, [], { token: view, notes: [...notes, ...notesOn(recognised)] })
      : `${describeToken(view)}\n`,
  );
  if (options.json !== true) {
    for (const note of [...notes, ...notesOn(recognised)]) terminal.stderr.write(`${note}\n`);
  }
  return 0;
}

/** Refuses what cannot be the name of a token. Error: `USAGE`. */
export function verifyName(name: string): void {
  if (TOKEN_NAME.test(name) && !name.startsWith("sk-ant-")) return;
  throw new SyncCredsError("USAGE", "that cannot be the name of a token", {
    why: "a name starts with a letter or digit and has at most 64 letters, digits, `.`, `_` and `-`",
    next: [
      "A token itself never stands on the command line: give it a name, and paste it when asked",
    ],
  });
}

const QUESTION = "Paste the token or the output of `claude setup-token`, then Enter (hidden):";

type Former = Pick<TokenEntry, "fingerprint"> & { readonly issuedAt?: number };

/** What has this name now, be it from an earlier `set` or a file that the user has written. */
async function findFormer(name: string, ports: Ports): Promise<Former | undefined> {
  const entry = await readEntry(name, ports).catch(() => undefined);
  if (entry?.store === "keychain") return entry;
  const path = tokenPath(name, ports);
  if (!(await ports.files.exists(path))) return entry;
  const { bytes } = await ports.files.read(path).catch(() => ({ bytes: Buffer.alloc(0) }));
  const fingerprint = fingerprintOf(new Secret(bytes.toString("utf8").replace(/\r?\n$/, "")));
  return entry?.fingerprint === fingerprint ? entry : { fingerprint };
}

async function verifyReplacement(
  name: string,
  fingerprint: string,
  { human }: Ports,
): Promise<void> {
  if (human === undefined) {
    throw new SyncCredsError("INPUT_NEEDED", `there is a token ${name} already`, {
      why: `it is ${fingerprint}, another one`,
      next: ["Add `--yes` to replace it, or choose another name"],
    });
  }
  if (await human.confirm(`Replace the token ${name} (${fingerprint})?`)) return;
  throw new SyncCredsError("INTERRUPTED", "not confirmed: nothing was changed", {
    next: ["Choose another name to keep both"],
  });
}

/** The day's beginning here, epoch milliseconds. */
function parseDay(text: string, ports: Ports): number {
  const [, year = "", month = "", day = ""] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  const at = new Date(Number(year), Number(month) - 1, Number(day));
  const isDay = year !== "" && at.getMonth() === Number(month) - 1 && at.getDate() === Number(day);
  if (isDay && at.getTime() <= ports.now() && at.getFullYear() >= 2020) return at.getTime();
  throw new SyncCredsError("USAGE", "--issued must be a day in the past", {
    why: `it is \`${text.slice(0, 20)}\``,
    next: ["Write it as `--issued 2026-05-31`"],
  });
}

function notesOn({ kind, isFromSetup, lines, length }: Recognised): string[] {
  const notes: string[] = [];
  if (kind === "setup-token" && !isFromSetup) {
    notes.push(
      "taken for a setup token; the access token of a login looks the same, and lives for hours: only `claude setup-token` gives one for a year",
    );
  }
  if (lines > 1) notes.push(`put together from ${lines} lines: ${length} characters`);
  return notes;
}
