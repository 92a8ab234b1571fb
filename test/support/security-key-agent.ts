import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";

/** An ssh-agent with one security key that exists in software only. */
export interface SecurityKeyAgent extends AsyncDisposable {
  readonly socket: string;
  /** For authorized_keys. */
  readonly publicKeyLine: string;
}

const TYPE = "sk-ssh-ed25519@openssh.com";
const APPLICATION = "ssh:";
/** FIDO's flag for somebody who has touched the key. */
const TOUCHED = 1;

/** Starts it with its socket in `directory`. Signs as OpenSSH's PROTOCOL.u2f says a security key does. */
export async function openSecurityKeyAgent(directory: string): Promise<SecurityKeyAgent> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const blob = Buffer.concat([string(TYPE), string(raw), string(APPLICATION)]);
  const socket = join(directory, "security-key.sock");
  let counter = 0;
  const server = createServer((client) => {
    answerEach(client, (request) => {
      if (request[0] === 11) {
        return Buffer.concat([Buffer.of(12, 0, 0, 0, 1), string(blob), string("touch me")]);
      }
      if (request[0] !== 13) return Buffer.of(5);
      const keyLength = request.readUInt32BE(1);
      const dataAt = 5 + keyLength + 4;
      const data = request.subarray(dataAt, dataAt + request.readUInt32BE(5 + keyLength));
      return Buffer.concat([Buffer.of(14), string(signAsKey(privateKey, data, ++counter))]);
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    publicKeyLine: `${TYPE} ${blob.toString("base64")} touch me\n`,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function signAsKey(key: KeyObject, data: Buffer, counter: number): Buffer {
  const tail = Buffer.alloc(5);
  tail[0] = TOUCHED;
  tail.writeUInt32BE(counter, 1);
  const hash = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest();
  const signature = sign(null, Buffer.concat([hash(APPLICATION), tail, hash(data)]), key);
  return Buffer.concat([string(TYPE), string(signature), tail]);
}

function answerEach(client: Socket, answer: (request: Buffer) => Buffer): void {
  let received = Buffer.alloc(0);
  client.on("error", () => {});
  client.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
      const end = 4 + received.readUInt32BE(0);
      client.write(string(answer(received.subarray(4, end))));
      received = received.subarray(end);
    }
  });
}

function string(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
