import { inspect } from "node:util";

const REDACTED = "[redacted]";

/**
 * A value that must not be seen. It prints `[redacted]` by every road: string, JSON, `console.log`,
 * template. `reveal()` is the only way out; it is called where bytes leave for a host, where they are
 * hashed or merged, and where the wrapper's bearer becomes a header.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** True when both hold the same text; neither is revealed. */
  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  /** True when the text, as UTF-8, is exactly these bytes. */
  equalsBytes(bytes: Uint8Array): boolean {
    return Buffer.from(this.#value).equals(bytes);
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
