/** Changes to the text of hosts.json that leave everything else in it as it was: comments, order, spaces, line ends. */
import { findNodeAtLocation, parseTree, type Node } from "jsonc-parser";
import { isList, layoutOf, renderEach, type Json, type Layout } from "./json-layout.ts";

/** What is to be added. Nothing that the file says already is ever replaced. */
export interface Addition {
  /** By name, as they stand in the file. */
  readonly hosts: Readonly<Record<string, Json>>;
  /** Members to add, by group; a group that does not exist is made. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** By path below `defaults`: `[["wrapper", "url"], "http://127.0.0.1:8000"]`. */
  readonly defaults?: readonly (readonly [path: readonly string[], value: Json])[];
  readonly sshConfig?: string;
}

/** The text of a file that says nothing yet. */
export const EMPTY_FILE = "{\n}\n";

/**
 * The text of hosts.json with the addition in it. The text must be valid JSON with comments. What is there already is not
 * touched: adding it again is a mistake of the caller and throws.
 */
export function addToHosts(text: string, addition: Addition): string {
  const { hosts, groups = {}, defaults = [], sshConfig } = addition;
  let edited = text;
  if (sshConfig !== undefined) edited = insertInto(edited, [], { sshConfig });
  for (const [path, value] of defaults) {
    edited = insertValue(withObject(edited, "defaults"), ["defaults", ...path], value);
  }
  for (const [name, members] of Object.entries(groups)) {
    edited = withObject(edited, "groups");
    const path = ["groups", name, "hosts"];
    const isNew = find(edited, path) === undefined;
    edited = isNew ? insertValue(edited, path, members) : insertInto(edited, path, members);
  }
  return insertInto(withObject(edited, "hosts"), ["hosts"], hosts);
}

/** Adds a property behind the others of its object; objects on the way to it are made. */
export function insertValue(text: string, path: readonly string[], value: Json): string {
  const depth = path.findIndex((_, at) => find(text, path.slice(0, at + 1)) === undefined);
  const [key, ...below] = path.slice(depth);
  if (depth < 0 || key === undefined) throw new Error(`${path.join(".")} is there already`);
  const nested = below.reduceRight<Json>((inside, name) => ({ [name]: inside }), value);
  return insertInto(text, path.slice(0, depth), { [key]: nested });
}

function withObject(text: string, key: string): string {
  return find(text, [key]) === undefined ? insertInto(text, [], { [key]: {} }) : text;
}

function find(text: string, path: readonly string[]): Node | undefined {
  return findNodeAtLocation(parse(text), [...path]);
}

function parse(text: string): Node {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root === undefined) throw new Error("the text holds no JSON");
  return root;
}

/** Adds the properties of an object, or the items of a list, behind those that the place in the text has already. */
function insertInto(text: string, path: readonly string[], added: Items): string {
  const container = find(text, path);
  const type = isList(added) ? "array" : "object";
  if (container?.type !== type) throw new Error(`${path.join(".")} is no ${type}`);
  const layout = layoutOf(text);
  const last = container.children?.at(-1);
  const renderItems: RenderItems = (indent, isInline) =>
    renderEach(added, { ...layout, isInline }, indent);
  return last === undefined
    ? fillEmpty(text, container, layout, renderItems)
    : insertBehind(text, last, layout, renderItems);
}

type Items = readonly Json[] | { readonly [key: string]: Json };
type RenderItems = (indent: string, isInline: boolean) => readonly string[];

/**
 * `modify` of jsonc-parser would put the item between its neighbour and the neighbour's comment, and set the neighbour anew.
 */
function insertBehind(text: string, last: Node, layout: Layout, renderItems: RenderItems): string {
  const end = last.offset + last.length;
  const { offset, hasComma, isInLineComment } = endOfEntry(text, end);
  const before = blanksBefore(text, last.offset);
  const lead = before.includes("\n")
    ? before
    : isInLineComment
      ? `${layout.lineEnd}${indentOfLine(text, last.offset)}`
      : layout.isSpaced
        ? " "
        : "";
  const isInline = !lead.includes("\n");
  const items = renderItems(lead.slice(lead.lastIndexOf("\n") + 1), isInline);
  if (items.length === 0) return text;
  const comma = hasComma ? "" : ",";
  const trailing = hasComma ? "," : "";
  return `${text.slice(0, end)}${comma}${text.slice(end, offset)}${lead}${items.join(`,${lead}`)}${trailing}${text.slice(offset)}`;
}

// All that can stand between the last entry and the bracket that closes.
const BETWEEN = /(?<comma>,)|(?<comment>\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)|(?<lineBreak>[\r\n])|[ \t]/y;

/** Where the line of an entry ends for it: behind its comma and its comments. */
function endOfEntry(text: string, end: number) {
  let offset = end;
  let hasComma = false;
  let isInLineComment = false;
  let isSameLine = true;
  BETWEEN.lastIndex = end;
  for (let found = BETWEEN.exec(text); found !== null; found = BETWEEN.exec(text)) {
    const { comma, comment, lineBreak } = found.groups ?? {};
    if (lineBreak !== undefined) isSameLine = false;
    if (comma === undefined && (comment === undefined || !isSameLine)) continue;
    offset = found.index + found[0].length;
    isInLineComment = comment?.startsWith("//") ?? false;
    if (comma !== undefined) hasComma = isSameLine = true;
  }
  return { offset, hasComma, isInLineComment };
}

/** Into an object or list without entries; comments inside it stay in front. */
function fillEmpty(
  text: string,
  container: Node,
  layout: Layout,
  renderItems: RenderItems,
): string {
  const close = container.offset + container.length - 1;
  const blanks = blanksBefore(text, close);
  const head = text.slice(0, close - blanks.length);
  const outer = indentOfLine(text, container.offset);
  const inner = `${outer}${layout.unit}`;
  const items = renderItems(inner, layout.isInline);
  if (items.length === 0) return text;
  if (layout.isInline) {
    const pad = layout.isSpaced && container.type === "object" ? " " : "";
    return `${head}${pad}${items.join(layout.isSpaced ? ", " : ",")}${pad}${text.slice(close)}`;
  }
  const lead = `${layout.lineEnd}${inner}`;
  const tail = blanks.includes("\n") ? blanks : `${layout.lineEnd}${outer}`;
  return `${head}${lead}${items.join(`,${lead}`)}${tail}${text.slice(close)}`;
}

function blanksBefore(text: string, offset: number): string {
  let start = offset;
  while (start > 0 && " \t\r\n".includes(text.charAt(start - 1))) start--;
  return text.slice(start, offset);
}

function indentOfLine(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? "";
}
