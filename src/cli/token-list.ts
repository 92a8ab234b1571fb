import { fingerprintOf } from "../credentials/fingerprint.ts";
import { SyncCredsError } from "../errors.ts";
import { errorCodeOf, renderMode } from "../hosts/local-path.ts";
import { paintFor } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { Secret } from "../secret.ts";
import { listTokenNames, readEntry, tokenPath } from "../tokens/entries.ts";
import { classifyToken } from "../tokens/recognise.ts";
import { renderColumns, renderHostsResult } from "./hosts-output.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";
import { KINDS, renderAge, renderLeft, viewOf } from "./token-output.ts";
import type { TokenView } from "./token-output.ts";

/** `token list`: what is stored, by fingerprint and date. The keychain is not opened for it. */
export async function listTokens(
  options: LocalOptions,
  { ports, terminal }: LocalWorld,
): Promise<number> {
  const names = await listTokenNames(ports);
  const views = await Promise.all(names.map((name) => findView(name, ports)));
  if (options.json === true) {
    terminal.stdout.write(renderHostsResult(0, [], { tokens: views }));
    return 0;
  }
  if (views.length === 0) {
    terminal.stderr.write("no token is stored: `sync-creds token set NAME` stores one\n");
    return 0;
  }
  const rows = views.map((view) => [
    view.name,
    KINDS[view.kind],
    view.fingerprint ?? "-",
    renderAge(view),
    renderLeft(view),
    view.problem === undefined ? view.place : `${view.place} (${view.problem})`,
  ]);
  const titles = ["NAME", "KIND", "FINGERPRINT", "AGE", "LEFT", "STORED IN"];
  terminal.stdout.write(renderColumns(titles, rows, paintFor(terminal.stdout, terminal.env)));
  return 0;
}

/** By the entry; of a file also by what it holds, for a user may have written another token there. */
async function findView(name: string, ports: Ports): Promise<TokenView> {
  try {
    const entry = await readEntry(name, ports);
    if (entry?.store === "keychain") return viewOf(name, entry, ports);
    const { bytes, mode } = await ports.files.read(tokenPath(name, ports));
    const secret = new Secret(bytes.toString("utf8").replace(/\r?\n$/, ""));
    const fingerprint = fingerprintOf(secret);
    const kind = classifyToken(secret);
    const issuedAt = entry?.fingerprint === fingerprint ? entry.issuedAt : undefined;
    const view = viewOf(
      name,
      {
        ...(kind === "refresh-token" ? {} : { kind }),
        fingerprint,
        ...(issuedAt !== undefined && { issuedAt }),
        store: "file",
      },
      ports,
    );
    if (kind === "refresh-token") return { ...view, kind, problem: "of no use: it works once" };
    const isOpen = ports.platform !== "win32" && (mode & 0o077) !== 0;
    return isOpen
      ? { ...view, problem: `open to other users, its mode is ${renderMode(mode)}` }
      : view;
  } catch (error) {
    return { ...viewOf(name, {}, ports), problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (error instanceof SyncCredsError) return error.message;
  const code = errorCodeOf(error);
  return code === "ENOENT" ? "the file is gone" : `cannot be read: ${code}`;
}
