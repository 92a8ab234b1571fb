/** Public keys in SSH's wire format (RFC 4253 §6.6): length-prefixed fields, the key's type first. */

/** How many fields follow the type, and the exact length in bytes of the first where it is fixed. */
const SHAPES: Readonly<Record<string, { fields: number; firstLength?: number }>> = {
  "ssh-ed25519": { fields: 1, firstLength: 32 },
  "ssh-rsa": { fields: 2 },
  "ssh-dss": { fields: 4 },
  "ecdsa-sha2-nistp256": { fields: 2, firstLength: 8 },
  "ecdsa-sha2-nistp384": { fields: 2, firstLength: 8 },
  "ecdsa-sha2-nistp521": { fields: 2, firstLength: 8 },
  "sk-ssh-ed25519@openssh.com": { fields: 2, firstLength: 32 },
  "sk-ecdsa-sha2-nistp256@openssh.com": { fields: 3, firstLength: 8 },
};

/** The type that stands in the key itself, `""` when it cannot be read. */
export function keyTypeOf(key: Buffer): string {
  return readFields(key)?.[0]?.toString("latin1") ?? "";
}

/** Whether the bytes are a key of a type OpenSSH knows, complete and with nothing behind it. */
export function isWellFormedKey(key: Buffer): boolean {
  const [type, ...fields] = readFields(key) ?? [];
  const shape = type && SHAPES[type.toString("latin1")];
  if (!shape || fields.length !== shape.fields) return false;
  return shape.firstLength === undefined || fields[0]?.length === shape.firstLength;
}

/** The length-prefixed fields that fill the bytes; `undefined` when they do not. */
export function readFields(bytes: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
