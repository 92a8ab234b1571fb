import { posix, win32 } from "node:path";
import type { Ports } from "../ports.ts";

/** The rules for paths on the computer that the ports describe. */
export function pathRules({ platform }: Pick<Ports, "platform">): typeof posix {
  return platform === "win32" ? win32 : posix;
}

/** A path as a user writes it, made absolute: `~/…` from home, a relative one from `baseDirectory`. */
export function toAbsolutePath(
  text: string,
  baseDirectory: string,
  ports: Pick<Ports, "platform" | "home">,
): string {
  const rules = pathRules(ports);
  if (/^~[/\\]/.test(text)) return rules.join(ports.home, text.slice(2));
  return rules.resolve(baseDirectory, text);
}

/** The folder with the user's own hosts.json and tokens, by the platform's custom; it may not exist. */
export function findConfigDirectory(ports: Pick<Ports, "platform" | "home" | "env">): string {
  const rules = pathRules(ports);
  const [variable, initial] =
    ports.platform === "win32"
      ? ["APPDATA", rules.join("AppData", "Roaming")]
      : ["XDG_CONFIG_HOME", ".config"];
  const named = ports.env[variable];
  // A relative one is to be ignored, says the XDG specification.
  const parent = named && rules.isAbsolute(named) ? named : rules.join(ports.home, initial);
  return rules.join(parent, "sync-creds");
}

/** A path as one word of a POSIX command line, for a command that the user is to copy. */
export function renderShellWord(path: string): string {
  if (path.startsWith("-")) return renderShellWord(`./${path}`);
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** Permission bits as `chmod` takes them, such as `0644`. */
export function renderMode(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

/** The code of a failed file operation, such as `EACCES`. */
export function errorCodeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "an unknown error";
}
