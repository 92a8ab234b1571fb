import { describe, expect, test } from "vitest";
import { bad, exitStatusOfDiagnosis, firstSteps, note, ok, warn } from "../../src/diagnosis.ts";
import type { Check } from "../../src/diagnosis.ts";

const laptop = (...checks: Check[]) => ({ place: "this laptop", checks });
const host = (place: string, ...checks: Check[]) => ({ place, checks });
const LOG_IN = "Log in: run `claude` and type `/login`, then push again";

describe("the exit status", () => {
  test.each<[number, number[]]>([
    [0, []],
    [15, [15]],
    [14, [15, 14]],
    [12, [14, 12, 15]],
    [13, [12, 13]],
    [10, [12, 10, 14, 13]],
    [3, [10, 3]],
    [4, [10, 12, 4]],
    [130, [4, 130]],
    [1, [130, 1]],
    [11, [1, 11]],
  ])("is %i for findings of %j", (expected, exits) => {
    const checks = exits.map((exit) => bad("wrapper", "x", { exit }));
    expect(exitStatusOfDiagnosis([laptop(ok("saved", "x")), host("a", ...checks)])).toBe(expected);
  });
});

describe("what to do first", () => {
  test("the login of the laptop comes before any host, what fails a push before the push", () => {
    const places = [
      laptop(bad("saved", "no login", { cure: [LOG_IN], exit: 4 })),
      host(
        "web-1",
        bad("expiry", "over", { cure: ["Push: `sync-creds push web-1`"], exit: 10 }),
        bad("restart", "another unit", { cure: ["Set this"], exit: 10 }),
      ),
    ];
    expect(firstSteps(places).map(({ todo }) => todo)).toEqual([
      LOG_IN,
      "Set this",
      "Push: `sync-creds push web-1`",
    ]);
  });

  test("of the pushes to one host the one that does more is left; those to others stay", () => {
    const push = (name: string, more = "") => [`Do: \`sync-creds push ${name}${more}\``];
    const places = [
      laptop(),
      host(
        "web-1",
        bad("wrapper", "it fails", { cure: push("web-1"), exit: 10 }),
        bad("methods", "a key", { cure: push("web-1", " --clear-shadows"), exit: 14 }),
        bad("methods", "a helper", { cure: push("web-1", " --clear-shadows"), exit: 14 }),
      ),
      host("web-10", warn("drift", "older", { cure: push("web-10"), exit: 14 })),
    ];
    expect(firstSteps(places)).toEqual([
      { place: "web-1", todo: push("web-1", " --clear-shadows")[0] },
      { place: "web-10", todo: push("web-10")[0] },
    ]);
  });

  test("what is well calls for nothing", () => {
    expect(firstSteps([laptop(ok("saved", "x")), host("a", note("claude", "x"))])).toEqual([]);
  });
});
