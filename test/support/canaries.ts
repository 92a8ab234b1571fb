import { randomInt } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Made-up secrets of one test, by name. Only what is secret about them: no public prefix. */
export type Canaries = Readonly<Record<string, string>>;

/** Bytes that were found somewhere. */
export interface Trace {
  readonly where: string;
  readonly bytes: Buffer;
}

/** Random lower-case letters and digits: no word in it means anything to the test wrapper. */
export function randomSecret(): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 40 }, () => alphabet[randomInt(alphabet.length)]).join("");
}

/** Every place that holds eight or more characters in a row of a secret, in any spelling: `mcp (hex) in stdout`. */
export function findLeaks(traces: readonly Trace[], canaries: Canaries): string[] {
  const leaks: string[] = [];
  for (const { where, bytes } of traces) {
    const text = bytes.toString("latin1");
    for (const [name, secret] of Object.entries(canaries)) {
      for (const [spelling, pieces] of Object.entries(spell(secret))) {
        if (pieces.some((piece) => text.includes(piece))) {
          leaks.push(`${name} (${spelling}) in ${where}`);
        }
      }
    }
  }
  return leaks;
}

/** All regular files below a folder, as traces named by their path. One that goes meanwhile leaves none. */
export function tracesBelow(folder: string): Trace[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const path = join(folder, name);
    try {
      return lstatSync(path).isFile() ? [{ where: name, bytes: readFileSync(path) }] : [];
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    }
  });
}

const SHORTEST = 8;

function spell(secret: string): Record<string, string[]> {
  const bytes = Buffer.from(secret);
  const url = [...bytes].map((byte) => `%${byte.toString(16)}`).join("");
  const hex = bytes.toString("hex");
  return {
    plain: windows(secret, SHORTEST),
    reversed: windows(Array.from(secret).toReversed().join(""), SHORTEST),
    "percent-encoded": [...windows(url, 3 * SHORTEST), ...windows(url.toUpperCase(), 3 * SHORTEST)],
    hex: [...windows(hex, 2 * SHORTEST), ...windows(hex.toUpperCase(), 2 * SHORTEST)],
    // Of the first and the last four characters some bits belong to the neighbours.
    ...Object.fromEntries(
      [0, 1, 2].map((shift) => {
        const shifted = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
        return [`base64, shifted by ${shift}`, windows(shifted.slice(4, -4), 10)];
      }),
    ),
  };
}

function windows(text: string, length: number): string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) =>
    text.slice(at, at + length),
  );
}
