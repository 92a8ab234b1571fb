import {
  findNodeAtLocation,
  getNodeValue,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from "jsonc-parser";
import type { Problem } from "./problem.ts";

/** hosts.json as text: JSON with comments and trailing commas. */
export interface Document {
  /** The plain value; meaningless when there are problems. */
  readonly value: unknown;
  /** What no schema could see any more: syntax, duplicate keys, secrets. */
  readonly problems: readonly Problem[];
  /** `line:column` of a problem, both from 1. */
  readonly placeOf: (problem: Problem) => string;
}

const DEEPEST = 32;
const SECRET = /sk-ant-[A-Za-z0-9]/;

/** Reads the text of hosts.json. Never throws: what is wrong stands in `problems`. */
export function parseDocument(text: string): Document {
  const errors: ParseError[] = [];
  const root = parseNodes(text, errors);
  const problems = root === undefined ? [] : findProblems(root, text);
  const syntax = errors.map(({ error, offset }): Problem => {
    return { path: [], offset, what: `is not valid JSON here: ${renderErrorCode(error)}` };
  });
  if (root === undefined && syntax.length === 0) {
    syntax.push({ path: [], offset: 0, what: "is nested too deeply" });
  }
  const all = [...syntax, ...problems];
  return {
    value: root === undefined || all.length > 0 ? undefined : (getNodeValue(root) as unknown),
    problems: all,
    placeOf: ({ path, offset }) => renderPlace(text, offset ?? (root ? offsetOf(root, path) : 0)),
  };
}

function parseNodes(text: string, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    // The parser calls itself for each level; a file of brackets only ends its stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function findProblems(root: Node, text: string): Problem[] {
  const secret = text.search(SECRET);
  if (secret !== -1) return [secretAt([], secret)];
  return [...walk(root, [])];
}

function* walk(node: Node, path: readonly (string | number)[]): Generator<Problem> {
  const { type, offset, children = [] } = node;
  if (path.length > DEEPEST) {
    yield { path: [], offset, what: "is nested too deeply" };
  } else if (type === "string" && SECRET.test(String(node.value))) {
    // The text itself has been searched: this one was hidden by an escape.
    yield secretAt(path, offset);
  } else if (type === "array") {
    for (const [index, child] of children.entries()) yield* walk(child, [...path, index]);
  } else if (type === "object") {
    yield* walkProperties(children, path);
  }
}

function* walkProperties(
  properties: readonly Node[],
  path: readonly (string | number)[],
): Generator<Problem> {
  const seen = new Set<string>();
  for (const { children: [keyNode, valueNode] = [] } of properties) {
    if (keyNode === undefined) continue;
    const key = String(keyNode.value);
    const inside = [...path, key];
    const { offset } = keyNode;
    if (seen.has(key)) yield { path: inside, offset, what: "stands here twice" };
    if (key === "__proto__") yield { path: inside, offset, what: "is not allowed as a key" };
    seen.add(key);
    yield* walk(keyNode, path);
    if (valueNode !== undefined) yield* walk(valueNode, inside);
  }
}

/** `CommaExpected` as words. */
function renderErrorCode(code: ParseError["error"]): string {
  return printParseErrorCode(code)
    .replace(/\B[A-Z]/g, " $&")
    .toLowerCase();
}

function secretAt(path: readonly (string | number)[], offset: number): Problem {
  const what =
    "holds what looks like an Anthropic secret: take it out, and say where it stands instead (`env`, `file`, `command` or `token`)";
  return { path, offset, what };
}

/** Where the property stands; where it is missing, the object that should have it. */
function offsetOf(root: Node, path: readonly (string | number)[]): number {
  const node = findNodeAtLocation(root, [...path]);
  if (node === undefined) return offsetOf(root, path.slice(0, -1));
  return node.parent?.type === "property" ? node.parent.offset : node.offset;
}

function renderPlace(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${before.at(-1)!.length + 1}`;
}
