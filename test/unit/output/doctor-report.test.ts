import { expect, test } from "vitest";
import { bad, note, ok } from "../../../src/diagnosis.ts";
import { renderDiagnosis } from "../../../src/output/doctor-report.ts";

const places = [
  { place: "this laptop", checks: [ok("saved", "52a4d4f7 in FILE", ["proof"])] },
  {
    place: "web-1",
    checks: [
      bad(
        "methods",
        "ANTHROPIC_API_KEY in /etc/default/wrapper, line 3 outranks the credentials file",
        {
          evidence: ["Claude Code uses this key"],
          cure: ["Push", "Take it out of `line 3 of /etc/default/wrapper on the host web-1`"],
          exit: 14,
        },
      ),
      note("claude", "none", ["why"]),
    ],
  },
];
const first = [{ place: "web-1", todo: "Push" }];
const paint = (_: string, text: string) => text;

test("on a terminal: a section for each place, lines that fit, then what to do", () => {
  expect(renderDiagnosis(places, first, { paint, columns: 60, verbose: false })).toBe(`this laptop
  ✔ saved      52a4d4f7 in FILE

web-1
  ✖ methods    ANTHROPIC_API_KEY in /etc/default/wrapper,
               line 3 outranks the credentials file
               Claude Code uses this key
               or: Take it out of
               \`line 3 of /etc/default/wrapper on the host web-1\`
  · claude     none

Do this
  1. web-1: Push
`);
});

test("in a pipe: lines that stand for themselves", () => {
  expect(renderDiagnosis(places, first, { paint, columns: undefined, verbose: false })).toBe(`\
this laptop: ok saved: 52a4d4f7 in FILE
web-1: problem methods: ANTHROPIC_API_KEY in /etc/default/wrapper, line 3 outranks the credentials file
web-1:   Claude Code uses this key
web-1:   → Push
web-1:   → Take it out of \`line 3 of /etc/default/wrapper on the host web-1\`
web-1: note claude: none
do 1: web-1: Push
`);
});

test("with more detail also what shows that all is well; nothing to do is said", () => {
  const text = renderDiagnosis(places.slice(0, 1), [], { paint, columns: 60, verbose: true });
  expect(text).toContain("               proof\n");
  expect(text).toContain("Nothing to do.");
});
