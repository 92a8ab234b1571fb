import { SyncCredsError } from "../errors.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { Secret } from "../secret.ts";
import type { SecretReference } from "./host.ts";
import {
  errorCodeOf,
  findConfigDirectory,
  pathRules,
  renderMode,
  renderShellWord,
  toAbsolutePath,
} from "./local-path.ts";

const COMMAND_TIMEOUT_MS = 30_000;
const LARGEST = 16 * 1024;

/**
 * The secret that a reference of hosts.json points to, fit to stand in an HTTP header. Relative files
 * start from `baseDirectory`, the folder of hosts.json. Error: `SECRET_UNAVAILABLE`; it names the
 * reference, never what was found there.
 */
export async function resolveSecret(
  reference: SecretReference,
  ports: Ports,
  baseDirectory: string,
): Promise<Secret> {
  if ("env" in reference) return fromVariable(reference.env, ports);
  if ("command" in reference) return fromCommand(reference.command, ports);
  if ("token" in reference) return fromStoredToken(reference.token, ports);
  return fromFile(toAbsolutePath(reference.file, baseDirectory, ports), ports);
}

function fromVariable(variable: string, ports: Ports): Secret {
  const value = ports.env[variable];
  if (value !== undefined) return toSecret(value, `the variable ${variable}`);
  throw unavailable(`the variable ${variable} is not set`, {
    why: "hosts.json says that a secret stands there",
    next: [`Set \`${variable}\` in the shell that runs sync-creds`],
  });
}

async function fromCommand(command: string, ports: Ports): Promise<Secret> {
  const source = `the command \`${command}\``;
  const [shell, argv] =
    ports.platform === "win32" ? ["cmd", ["/d", "/c", command]] : ["/bin/sh", ["-c", command]];
  const next = ["Run the command yourself: it must print the secret and nothing else"];
  const ran = await ports.run(shell, argv, { timeoutMs: COMMAND_TIMEOUT_MS }).catch(() => {
    // The cause is left out: it may hold what the command had printed so far.
    throw unavailable(`${source} did not finish`, {
      why: `it could not be started, or took longer than ${COMMAND_TIMEOUT_MS / 1000} s`,
      next,
    });
  });
  if (ran.code === 0) return toSecret(ran.stdout, source);
  const ending = ran.code === null ? "was killed by a signal" : `ended with status ${ran.code}`;
  throw unavailable(`${source} failed`, { why: `it ${ending}`, next });
}

async function fromStoredToken(name: string, ports: Ports): Promise<Secret> {
  const rules = pathRules(ports);
  const directory = rules.join(findConfigDirectory(ports), "tokens");
  const file = rules.join(directory, name);
  const [folderWord, fileWord] = [renderShellWord(directory), renderShellWord(file)];
  const howToWrite =
    ports.platform === "win32"
      ? `Write the token into \`${file}\``
      : `Run \`(umask 077; mkdir -p ${folderWord}; cat > ${fileWord})\`, paste the token, press Enter and Ctrl-D`;
  return fromFile(file, ports, howToWrite);
}

async function fromFile(
  path: string,
  ports: Ports,
  whenMissing = "Correct the path in hosts.json, or write the file with mode 0600",
): Promise<Secret> {
  const { bytes, mode } = await readSecretFile(path, ports, whenMissing);
  if (ports.platform !== "win32" && (mode & 0o077) !== 0) {
    throw unavailable(`the file ${path} is open to other users`, {
      why: `a secret stands there, and its mode is ${renderMode(mode)}`,
      next: [`Run \`chmod 600 ${renderShellWord(path)}\``],
    });
  }
  return toSecret(bytes.toString("utf8"), `the file ${path}`);
}

async function readSecretFile(
  path: string,
  ports: Ports,
  whenMissing: string,
): Promise<FileSnapshot> {
  try {
    return await ports.files.read(path);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "ENOENT") {
      throw unavailable(`the file ${path} does not exist`, {
        why: "hosts.json says that a secret stands there",
        next: [whenMissing],
      });
    }
    throw unavailable(`the file ${path} cannot be read`, {
      why: `the system said ${code}`,
      next: [`Look at it with \`ls -l ${renderShellWord(path)}\``],
    });
  }
}

/** Without the line feed that editors and commands add; refused when it cannot be a header's value. */
function toSecret(text: string, source: string): Secret {
  const value = text.replace(/\r?\n$/, "");
  const flaw = findFlaw(value);
  if (flaw === undefined) return new Secret(value);
  throw unavailable(`${source} ${flaw}`, {
    why: "the secret becomes part of an HTTP header: one line of Latin-1 text",
    next: ["Put the secret there, and nothing else"],
  });
}

function findFlaw(value: string): string | undefined {
  if (value.trim() === "") return "is empty";
  if (value.length > LARGEST) return "holds too much to be a secret";
  if (/[\r\n]/.test(value)) return "holds more than one line";
  if (!/^[\t\x20-\x7e\xa0-\xff]+$/.test(value)) return "holds characters that cannot be sent";
  return undefined;
}

function unavailable(
  what: string,
  explanation: { readonly why: string; readonly next: readonly string[] },
): SyncCredsError {
  return new SyncCredsError("SECRET_UNAVAILABLE", what, explanation);
}
