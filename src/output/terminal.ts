import type { Writable } from "node:stream";
import { WriteStream } from "node:tty";
import { styleText } from "node:util";

/** Where output goes: the result to stdout, the talk to stderr. `main.ts` makes the real one. */
export interface Terminal {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Colours a text for one stream, or leaves it alone. */
export type Paint = (style: Style, text: string) => string;
type Style = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** Colour only on a terminal that wants it: `NO_COLOR` and `TERM=dumb` are obeyed, a pipe gets none. */
export function paintFor(stream: Stream, env: Terminal["env"]): Paint {
  const plain = stream.isTTY !== true || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  if (plain) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** stderr, when a live display may be drawn on it. */
export function drawableStream({ stderr, env }: Terminal): WriteStream | undefined {
  const fit = stderr instanceof WriteStream && env["TERM"] !== "dumb" && (env["CI"] ?? "") === "";
  return fit ? stderr : undefined;
}
