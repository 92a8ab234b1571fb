import { inspect } from "node:util";

const REDACTED = "[redacted]";

/**
 * A value that must not be seen. It prints `[redacted]` by every road: string, JSON, `console.log`,
 * template. `reveal()` is the only way out; it is called where bytes leave for a host, where they are
 * hashed or merged, and where the wrapper's bearer becomes a header.
 */
export class Secret {
  readonly #value: string;
  readonly #bytes: Uint8Array | undefined;

  /** A text, or bytes that need not be one. */
  constructor(value: string | Uint8Array) {
    this.#value = typeof value === "string" ? value : new TextDecoder().decode(value);
    this.#bytes = typeof value === "string" ? undefined : value;
  }

  reveal(): string {
    return this.#value;
  }

  /** The same as bytes: a text as UTF-8. */
  revealBytes(): Buffer {
    return this.#toBytes();
  }

  /** True when both hold the same text; neither is revealed. */
  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  /** True when the text, as UTF-8, is exactly these bytes. */
  equalsBytes(bytes: Uint8Array): boolean {
    return this.#toBytes().equals(bytes);
  }

  #toBytes(): Buffer {
    return Buffer.from(this.#bytes ?? this.#value);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
