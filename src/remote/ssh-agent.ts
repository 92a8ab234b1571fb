/** The client side of the ssh-agent protocol (draft-ietf-sshm-ssh-agent): list keys, sign. */
import { connect } from "node:net";
import ssh2 from "ssh2";
import type { IdentityCallback, ParsedKey, SignCallback } from "ssh2";
import type { SigningRequestOptions } from "ssh2";

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const RSA_FLAGS = { sha1: 0, sha256: 2, sha512: 4 } as const;

const LIST_TIMEOUT_MS = 1000;
/** Less than the handshake may take, and time for a person to confirm or touch. */
const SIGN_TIMEOUT_MS = 12_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface AgentIdentity {
  /** Public key in wire format; certificates and security keys are among them. */
  readonly blob: Buffer;
  readonly comment: string;
}

/** The keys an agent holds. Rejects when there is none behind the socket or it does not answer within 1 s. */
export async function listAgentKeys(socketPath: string): Promise<AgentIdentity[]> {
  const answer = await ask(socketPath, Buffer.of(REQUEST_IDENTITIES), LIST_TIMEOUT_MS);
  if (answer[0] !== IDENTITIES_ANSWER) throw new Error("it refused to list its keys");
  const identities: AgentIdentity[] = [];
  let rest = answer.subarray(5);
  for (let left = answer.readUInt32BE(1); left > 0; left--) {
    const blob = takeString(rest);
    const comment = takeString(rest.subarray(4 + blob.length));
    identities.push({ blob, comment: comment.toString("utf8") });
    rest = rest.subarray(8 + blob.length + comment.length);
  }
  return identities;
}

/** ssh2's view of an agent that holds exactly one key. */
export class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #socketPath: string;
  readonly #key: ParsedKey;

  constructor(socketPath: string, key: ParsedKey) {
    super();
    this.#socketPath = socketPath;
    this.#key = key;
  }

  getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(null, [this.#key]);
  }

  sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const [hash, settle] =
      typeof options === "function"
        ? ["sha1" as const, options]
        : [options.hash ?? "sha1", callback];
    const flags = Buffer.alloc(4);
    flags.writeUInt32BE(key.type === "ssh-rsa" ? RSA_FLAGS[hash] : 0);
    const request = Buffer.concat([
      Buffer.of(SIGN_REQUEST),
      string(key.getPublicSSH()),
      string(data),
      flags,
    ]);
    ask(this.#socketPath, request, SIGN_TIMEOUT_MS)
      .then((answer) => settle?.(null, signatureIn(answer)))
      // Also when ssh2 throws because it cannot use the signature: then the next key is tried.
      .catch((error: Error) => settle?.(error));
  }
}

/** The bytes behind the algorithm's name, which is how ssh2 wants a signature. */
function signatureIn(answer: Buffer): Buffer {
  if (answer[0] !== SIGN_RESPONSE) throw new Error("the agent refused to sign");
  const signature = takeString(answer.subarray(1));
  return takeString(signature.subarray(4 + takeString(signature).length));
}

/** One request, one answer (without its length), one connection, which is gone afterwards. */
function ask(socketPath: string, request: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath });
    const timer = setTimeout(() => {
      socket.destroy(new Error(`it did not answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const end = 4 + received.readUInt32BE(0);
      if (end === 4 || end > MAX_ANSWER_BYTES) {
        socket.destroy(new Error("it is not an agent"));
      } else if (received.length >= end) {
        resolve(received.subarray(4, end));
        socket.destroy();
      }
    });
    socket.on("end", () => socket.destroy());
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      reject(new Error("it hung up"));
    });
    socket.write(string(request));
  });
}

function string(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function takeString(bytes: Buffer): Buffer {
  const end = 4 + bytes.readUInt32BE(0);
  if (end > bytes.length) throw new Error("its answer is cut short");
  return bytes.subarray(4, end);
}
