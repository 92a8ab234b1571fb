/** A text to find exactly once and the text to put in its place. */
export interface Replacement {
  readonly find: string;
  readonly put: string;
}

/**
 * `already`: the text is as it shall be. `missing`: neither text stands there. `ambiguous`: the edit, or its way back,
 * would not have exactly one place to go to; `times` says how many.
 */
export type Edited =
  | { readonly kind: "edited"; readonly text: string }
  | { readonly kind: "already" }
  | { readonly kind: "ambiguous"; readonly times: number }
  | { readonly kind: "missing" };

/**
 * Replaces `find` by `put` (`on`), or `put` by `find` (`off`). An edit that is made can be undone: the other direction
 * gives the same text back, byte for byte. Line ends follow the file's, where they are all alike. An occurrence inside an
 * occurrence of the other text does not count: `put` may contain `find`, and the other way round.
 */
export function editOnce(text: string, edit: Replacement, direction: "on" | "off"): Edited {
  const find = withLineEndsOf(text, edit.find);
  const put = withLineEndsOf(text, edit.put);
  const [from, to] = direction === "on" ? [find, put] : [put, find];
  // An empty text stands everywhere.
  if (from === "" || to === "") return { kind: "ambiguous", times: text.length + 1 };
  if (isIn(text, to, from)) return { kind: "already" };
  const places = placesOf(text, from, to);
  const [place] = places;
  if (place === undefined) return { kind: "missing" };
  if (places.length > 1) return { kind: "ambiguous", times: places.length };
  const others = placesOf(text, to, from).length;
  if (others > 0) return { kind: "ambiguous", times: others + 1 };
  const edited = text.slice(0, place) + to + text.slice(place + from.length);
  const keepsLineEnds = [edit.find, edit.put].every(
    (part) => withLineEndsOf(edited, part) === withLineEndsOf(text, part),
  );
  if (!keepsLineEnds) return { kind: "ambiguous", times: 0 };
  if (isIn(edited, to, from)) return { kind: "edited", text: edited };
  return { kind: "ambiguous", times: placesOf(edited, to, from).length };
}

/** Whether the text is in the state that `here` stands for, and in no other. */
function isIn(text: string, here: string, other: string): boolean {
  const isSame = here === other;
  return (
    placesOf(text, here, other).length === 1 && (isSame || placesOf(text, other, here).length === 0)
  );
}

/** Where `part` stands, overlaps included, except inside a longer text that contains it. */
function placesOf(text: string, part: string, other: string): number[] {
  const places = offsetsOf(text, part);
  if (other.length <= part.length || !other.includes(part)) return places;
  const around = offsetsOf(text, other);
  return places.filter(
    (at) => !around.some((start) => start <= at && at + part.length <= start + other.length),
  );
}

function offsetsOf(text: string, part: string): number[] {
  const offsets: number[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) offsets.push(at);
  return offsets;
}

function withLineEndsOf(text: string, part: string): string {
  if (!text.includes("\r\n")) return part.replaceAll("\r\n", "\n");
  return /(?<!\r)\n/.test(text) ? part : part.replaceAll(/\r?\n/g, "\r\n");
}
