import type { Check, Examined, FirstStep, Mark } from "../diagnosis.ts";
import type { Paint } from "./terminal.ts";

/** How the report is laid out. */
export interface Layout {
  readonly paint: Paint;
  /** Of the terminal; without one every line stands for itself, unbroken, with its place before it. */
  readonly columns: number | undefined;
  /** Also what shows that all is well. */
  readonly verbose: boolean;
}

/** What Anthropic's terms say of this, in short: told once. */
export function renderTerms({ paint, columns = 120 }: Pick<Layout, "paint" | "columns">): string {
  return wrap(TERMS, columns)
    .map((line) => `${paint("dim", line)}\n`)
    .join("");
}

const TERMS =
  "Anthropic's terms let a subscriber use their own login with their own Claude Code. Serving other people through a Pro or Max login is what they forbid: use delivery `api-key` for that. sync-creds sends nothing to anybody else.";

/** A section for each place, then what to do, in order. */
export function renderDiagnosis(
  places: readonly Examined[],
  first: readonly FirstStep[],
  layout: Layout,
): string {
  const { columns } = layout;
  const lines =
    columns === undefined
      ? [...places.flatMap((place) => renderPlain(place, layout)), ...first.map(renderStep)]
      : [
          ...places.flatMap((place) => [...renderSection(place, { ...layout, columns }), ""]),
          ...renderFirst(first, { ...layout, columns }),
        ];
  return lines.map((line) => `${line}\n`).join("");
}

interface TerminalLayout extends Layout {
  readonly columns: number;
}

function renderSection({ place, checks }: Examined, layout: TerminalLayout): string[] {
  const { paint, columns } = layout;
  return [
    paint("bold", place),
    ...checks.flatMap((check) => {
      const { mark, topic, what } = check;
      const [head = "", ...rest] = wrap(what, columns - INDENT);
      const line = `  ${paint(COLOUR[mark], SIGN[mark])} ${paint("dim", topic.padEnd(TOPIC_WIDTH))} ${head}`;
      const below = more(check, layout).flatMap((text) => wrap(text, columns - INDENT));
      return [
        line,
        ...rest.map((text) => " ".repeat(INDENT) + text),
        ...below.map((text) => " ".repeat(INDENT) + paint("dim", text)),
      ];
    }),
  ];
}

function renderFirst(first: readonly FirstStep[], { paint, columns }: TerminalLayout): string[] {
  if (first.length === 0) return [paint("green", "Nothing to do.")];
  return [
    paint("bold", first.length === 1 ? "Do this" : "Do this, in this order"),
    ...first.flatMap(({ place, todo }, at) => {
      const number = `${at + 1}.`.padEnd(3);
      const [head = "", ...rest] = wrap(`${place}: ${todo}`, columns - 5);
      return [`  ${number}${head}`, ...rest.map((text) => `     ${text}`)];
    }),
  ];
}

function renderPlain({ place, checks }: Examined, layout: Layout): string[] {
  return checks.flatMap((check) => [
    `${place}: ${WORD[check.mark]} ${check.topic}: ${check.what}`,
    ...more(check, layout).map((text) => `${place}:   ${text}`),
  ]);
}

function renderStep({ place, todo }: FirstStep, at: number): string {
  return `do ${at + 1}: ${place}: ${todo}`;
}

/** What shows that something is not well, and what cures it. On a terminal the first cure stands among the steps. */
function more({ mark, evidence, cure }: Check, { verbose, columns }: Layout): string[] {
  const isWell = mark === "ok" || mark === "note";
  if (isWell && !verbose) return [];
  const cures =
    columns === undefined
      ? cure.map((line) => `→ ${line}`)
      : cure.slice(1).map((line) => `or: ${line}`);
  return [...evidence, ...cures];
}

/** Lines of at most `width` characters. What stands in backticks is for copying, and is never broken. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    if (line !== "" && line.length + 1 + word.length > Math.max(width, 20)) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const TOPIC_WIDTH = 10;
/** Where what is said begins: two blanks, the sign, the topic, and a blank after each. */
const INDENT = 5 + TOPIC_WIDTH;

const SIGN: Readonly<Record<Mark, string>> = { ok: "✔", note: "·", warn: "!", bad: "✖" };
const WORD: Readonly<Record<Mark, string>> = {
  ok: "ok",
  note: "note",
  warn: "warning",
  bad: "problem",
};
const COLOUR: Readonly<Record<Mark, "green" | "dim" | "yellow" | "red">> = {
  ok: "green",
  note: "dim",
  warn: "yellow",
  bad: "red",
};
