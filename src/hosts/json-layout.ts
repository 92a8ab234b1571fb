/** How the text of a JSON file is set, and new values set in the same way. */

/** A JSON value as it is to stand in a file. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** The habits of a file. */
export interface Layout {
  readonly lineEnd: "\n" | "\r\n";
  /** One step of indentation. */
  readonly unit: string;
  /** `"a": 1` rather than `"a":1`. */
  readonly isSpaced: boolean;
  /** All on one line. */
  readonly isInline: boolean;
}

const WIDTH = 80;

/** Finds out how a text is set. */
export function layoutOf(text: string): Layout {
  const body = text.trimEnd();
  return {
    lineEnd: text.includes("\r\n") ? "\r\n" : "\n",
    unit: /^[ \t]+(?=")/m.exec(text)?.[0] ?? "  ",
    isSpaced: body.includes("\n") || /":\s/.test(text),
    isInline: !body.includes("\n"),
  };
}

/** The items of a list, or the properties of an object, each for a line with this indentation. Short ones stay on it. */
export function renderEach(
  all: readonly Json[] | { readonly [key: string]: Json },
  layout: Layout,
  indent: string,
): string[] {
  if (isList(all)) return all.map((item) => renderJson(item, layout, indent, 0));
  return Object.entries(all).map(([key, item]) => {
    const name = `${JSON.stringify(key)}:${layout.isSpaced ? " " : ""}`;
    return `${name}${renderJson(item, layout, indent, name.length)}`;
  });
}

/** `column` characters stand before it on its line. */
function renderJson(value: Json, layout: Layout, indent: string, column: number): string {
  const line = renderLine(value, layout.isSpaced);
  if (layout.isInline || typeof value !== "object" || value === null) return line;
  if (indent.length + column + line.length < WIDTH) return line;
  const lead = `${layout.lineEnd}${indent}${layout.unit}`;
  const items = renderEach(value, layout, `${indent}${layout.unit}`).join(`,${lead}`);
  const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
  return `${open}${lead}${items}${layout.lineEnd}${indent}${close}`;
}

/** A value on one line. */
export function renderLine(value: Json, isSpaced = true): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const gap = isSpaced ? " " : "";
  if (isList(value)) return `[${value.map((item) => renderLine(item, isSpaced)).join(`,${gap}`)}]`;
  const items = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${gap}${renderLine(item, isSpaced)}`,
  );
  return items.length === 0 ? "{}" : `{${gap}${items.join(`,${gap}`)}${gap}}`;
}

/** Tells lists from objects. */
export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}
