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

/** A value for a line with this indentation, where `column` characters stand before it: short ones stay on the line. */
export function renderJson(value: Json, layout: Layout, indent: string, column: number): string {
  const line = renderLine(value, layout.isSpaced);
  if (layout.isInline || typeof value !== "object" || value === null) return line;
  if (indent.length + column + line.length < WIDTH) return line;
  const inner = `${indent}${layout.unit}`;
  const items = isList(value)
    ? value.map((item) => renderJson(item, layout, inner, 0))
    : Object.entries(value).map(([key, item]) => {
        const name = `${JSON.stringify(key)}: `;
        return `${name}${renderJson(item, layout, inner, name.length)}`;
      });
  const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
  const lines = items.join(`,${layout.lineEnd}${inner}`);
  return `${open}${layout.lineEnd}${inner}${lines}${layout.lineEnd}${indent}${close}`;
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

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
