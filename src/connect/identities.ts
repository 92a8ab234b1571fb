import type { ParsedKey } from "ssh2";
import type { Ports } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import type { Secret } from "../secret.ts";
import { keyTypeOf, readFields } from "./key-blob.ts";
import { inTurn, oncePerRun } from "../once-per-run.ts";

/** What an identity file holds, as far as it can be told without its passphrase. */
export interface Identity {
  readonly path: string;
  /** Wire format; absent when neither the file nor `FILE.pub` tells it. */
  readonly publicKey?: Buffer;
  /** Absent when there is only a public key: then an agent must sign. */
  readonly privateKey?: { readonly text: string; readonly isEncrypted: boolean };
  /** Why the private key cannot be used. */
  readonly problem?: Skipped;
  /** A certificate stands beside it, in `FILE-cert.pub`. */
  readonly hasCertificate?: true;
}

/** A key that is not offered: why, and the line that helps, if one does. */
export interface Skipped {
  readonly label: string;
  readonly why: string;
  readonly next?: string;
  /** The system's `ssh` can use it. */
  readonly opensshCan?: true;
}

const PASSPHRASE_TRIES = 3;
const PUBLIC_KEY_LINE = /^(?:ssh-|ecdsa-|sk-)\S+\s+(?<blob>[A-Za-z0-9+/=]+)/;

/** Reads an identity file, once per run. Never rejects: what is wrong with it becomes its `problem`. */
export function readIdentity(path: string, ports: Ports): Promise<Identity> {
  return oncePerRun(ports, `identity ${path}`, async () => {
    const [publicKey, hasCertificate] = await Promise.all([
      readPublicKey(`${path}.pub`, ports),
      ports.files.exists(`${path}-cert.pub`),
    ]);
    const beside = { ...(publicKey && { publicKey }), ...(hasCertificate && { hasCertificate }) };
    try {
      const { bytes, mode, uid } = await ports.files.read(path);
      const identity = classifyIdentity(path, bytes.toString("latin1"));
      const isExposed = identity.privateKey !== undefined && (mode & 0o077) !== 0;
      // OpenSSH lets other people's files pass, so that shared keys of root can work.
      const problem =
        isExposed && uid === ports.uid && ports.platform !== "win32"
          ? exposed(path, mode)
          : identity.problem;
      return { ...beside, ...identity, ...(problem && { problem }) };
    } catch (error) {
      if (publicKey) return { path, publicKey, ...beside };
      const text = error instanceof Error ? error.message : String(error);
      const why = /ENOENT/.test(text) ? "the file does not exist" : printable(text);
      return { path, problem: { label: path, why } };
    }
  });
}

/**
 * The private key, parsed once per run; a passphrase is asked for once, in the name of the host that needs it first. A
 * `Skipped` says why there is none.
 */
export function unlockIdentity(
  identity: Identity,
  host: string,
  ports: Ports,
): Promise<ParsedKey | Skipped> {
  const { path, privateKey } = identity;
  return oncePerRun(ports, `unlock ${path}`, async () => {
    if (identity.problem) return identity.problem;
    if (!privateKey)
      return { label: path, why: "it is a public key, and the agent does not hold it" };
    // ssh2 costs a tenth of a second to load: not before there is a key for it.
    const { parsePrivateKey } = await import("../remote/ssh-keys.ts");
    if (!privateKey.isEncrypted) return keyOrReason(path, parsePrivateKey(privateKey.text));
    if (!ports.human) return locked(path, "it has a passphrase and there is nobody to ask for it");
    const question = `Passphrase of ${path} (for ${host})`;
    return askPassphrase(identity, question, ports, (secret) =>
      parsePrivateKey(privateKey.text, secret),
    );
  });
}

/** For a key with a passphrase that was not worth a question. */
export function locked(path: string, why: string): Skipped {
  return { label: path, why, next: `Load it into the agent: \`ssh-add ${path}\`` };
}

/** Tells what a file holds from its text alone. */
export function classifyIdentity(path: string, text: string): Identity {
  const problem = (why: string, more: Partial<Skipped> = {}): Identity => ({
    path,
    problem: { label: path, why, ...more },
  });
  const convert = `Convert it to OpenSSH's own format: \`ssh-keygen -p -f ${path}\``;
  if (PUBLIC_KEY_LINE.test(text)) {
    return {
      path,
      publicKey: Buffer.from(PUBLIC_KEY_LINE.exec(text)?.groups?.["blob"] ?? "", "base64"),
    };
  }
  if (text.startsWith("PuTTY-User-Key-File")) {
    return problem("it is a PuTTY key (.ppk)", {
      next: `Convert it: \`puttygen ${path} -O private-openssh -o KEY\``,
    });
  }
  switch (/-----BEGIN (?<kind>[A-Z ]*PRIVATE KEY)-----/.exec(text)?.groups?.["kind"] ?? "") {
    case "OPENSSH PRIVATE KEY":
      return classifyOpenSsh(path, text);
    case "RSA PRIVATE KEY":
    case "EC PRIVATE KEY":
      return { path, privateKey: { text, isEncrypted: /^Proc-Type: 4,ENCRYPTED/m.test(text) } };
    case "DSA PRIVATE KEY":
      return problem("it is a DSA key, which SSH servers no longer accept");
    case "PRIVATE KEY":
    case "ENCRYPTED PRIVATE KEY":
      return problem("it is in PKCS#8 format, which only `ssh` itself reads", {
        next: convert,
        opensshCan: true,
      });
    default:
      return problem("it does not look like a private key");
  }
}

/** OpenSSH's PROTOCOL.key: magic, cipher, KDF, its options, number of keys, public key; all in clear. */
function classifyOpenSsh(path: string, text: string): Identity {
  const body = Buffer.from(text.replace(/-----[^-]+-----/g, ""), "base64");
  const rest = body.subarray("openssh-key-v1\0".length);
  // The number of keys is not length-prefixed; it stands after the third field.
  const head = leadingFields(rest, 3);
  const used = head.reduce((sum, field) => sum + 4 + field.length, 0);
  const publicKey = leadingFields(rest.subarray(used + 4), 1)[0];
  const cipher = head[0]?.toString("latin1");
  if (publicKey === undefined || readFields(publicKey) === undefined || cipher === undefined) {
    return { path, problem: { label: path, why: "the file is damaged" } };
  }
  const type = keyTypeOf(publicKey);
  const problem: Skipped | undefined = type.startsWith("sk-")
    ? {
        label: path,
        why: `it lives on a security key (${type}), which only \`ssh\` itself can use`,
        opensshCan: true,
      }
    : cipher.startsWith("chacha20")
      ? {
          label: path,
          why: `its passphrase uses ${cipher}, which only \`ssh\` itself reads`,
          next: `Change its cipher: \`ssh-keygen -p -Z aes256-ctr -f ${path}\``,
          opensshCan: true,
        }
      : undefined;
  const privateKey = { text, isEncrypted: cipher !== "none" };
  return { path, publicKey, privateKey, ...(problem && { problem }) };
}

function leadingFields(bytes: Buffer, count: number): Buffer[] {
  const fields: Buffer[] = [];
  let at = 0;
  while (fields.length < count && at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

async function readPublicKey(path: string, ports: Ports): Promise<Buffer | undefined> {
  try {
    const { bytes } = await ports.files.read(path);
    return classifyIdentity(path, bytes.toString("latin1")).publicKey;
  } catch {
    return undefined;
  }
}

async function askPassphrase(
  { path }: Identity,
  question: string,
  ports: Ports,
  parse: (passphrase: Secret) => ParsedKey | Error,
): Promise<ParsedKey | Skipped> {
  for (let left = PASSPHRASE_TRIES; left > 0 && ports.human; left--) {
    const { human } = ports;
    const again = left === PASSPHRASE_TRIES ? "" : "That was wrong. ";
    const passphrase = await inTurn(ports, () => human.password(`${again}${question}`));
    const key = parse(passphrase);
    if (!(key instanceof Error) || !/passphrase/i.test(key.message)) return keyOrReason(path, key);
  }
  return locked(path, "the passphrase was wrong");
}

function keyOrReason(path: string, key: ParsedKey | Error): ParsedKey | Skipped {
  return key instanceof Error ? { label: path, why: printable(key.message) } : key;
}

function exposed(path: string, mode: number): Skipped {
  return {
    label: path,
    why: `others may read it (mode ${mode.toString(8).padStart(4, "0")}), and OpenSSH refuses such a key too`,
    next: `Make it private: \`chmod 600 ${path}\``,
  };
}
