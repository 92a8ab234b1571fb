import { expect, test } from "vitest";
import { selectHosts, type Narrowing } from "../../../src/hosts/select.ts";
import { ENOUGH, failureOf, parse } from "./a-hosts-file.ts";

const FILE = parse({
  groups: {
    prod: { hosts: ["web-2", "web-1"], confirm: true },
    staging: { hosts: ["stage-1"] },
  },
  hosts: {
    "web-1": { ...ENOUGH, tags: ["eu"] },
    "web-2": { ...ENOUGH, tags: ["us"] },
    "stage-1": { ...ENOUGH, tags: ["eu"] },
    "a.b": ENOUGH,
  },
});

test.each<[string[], Narrowing, string[]]>([
  [["web-1"], {}, ["web-1"]],
  [["web-2", "web-1", "web-2"], {}, ["web-1", "web-2"]],
  [["prod"], {}, ["web-1", "web-2"]],
  [["staging", "prod"], {}, ["web-1", "web-2", "stage-1"]],
  [["tag:eu"], {}, ["web-1", "stage-1"]],
  [["web-*"], {}, ["web-1", "web-2"]],
  [["*-1"], {}, ["web-1", "stage-1"]],
  [["web-?"], {}, ["web-1", "web-2"]],
  [["a?b"], {}, ["a.b"]],
  [["*"], {}, ["web-1", "web-2", "stage-1", "a.b"]],
  [["all"], {}, ["web-1", "web-2", "stage-1", "a.b"]],
  [["all"], { exclude: ["prod", "a.b"] }, ["stage-1"]],
  [["prod"], { limit: ["tag:eu"] }, ["web-1"]],
  [["all"], { limit: ["web-*"], exclude: ["web-2"] }, ["web-1"]],
])("%j with %j is %j", (targets, narrowing, names) => {
  expect(selectHosts(FILE, targets, narrowing).hosts.map(({ name }) => name)).toEqual(names);
});

test.each([
  [["all"], "the target is every host of hosts.json (4)"],
  [["*"], "the target is every host of hosts.json (4)"],
  [["prod", "all"], "the target is every host of hosts.json (4)"],
  [["prod"], "the group prod asks for it in hosts.json"],
  [["staging", "prod"], "the group prod asks for it in hosts.json"],
  [["staging"], undefined],
  [["web-*"], undefined],
])("%j asks first: %s", (targets, reason) => {
  expect(selectHosts(FILE, targets).needsConfirmation).toBe(reason);
});

test.each<[string[], object, string[]]>([
  [["prod"], { canary: "web-1" }, []],
  [["prod", "staging", "web-2"], { canary: "web-1" }, []],
  [["prod", "all"], { canary: "web-1" }, []],
  [["eu"], { maxFailures: { count: 1 } }, []],
  [["eu", "prod"], {}, ["prod", "eu"]],
  [["staging", "web-*", "all"], {}, []],
])("%j goes in the order %j; at odds are %j", (targets, order, atOdds) => {
  const groups = {
    prod: { hosts: ["web-1"], canary: "web-1" },
    staging: { hosts: ["web-2"] },
    eu: { hosts: ["web-2"], maxFailures: 1 },
  };
  const file = parse({ groups, hosts: { "web-1": ENOUGH, "web-2": ENOUGH } });
  expect(selectHosts(file, targets)).toMatchObject({ order, atOdds });
});

test.each([
  ["wbe-1", "Did you mean `web-1`?"],
  ["prdo", "Did you mean `prod`?"],
  ["tag:uk", "Did you mean `tag:us`?"],
  ["al", "Did you mean `all`?"],
  ["nothing-like-it", undefined],
  ["x*", undefined],
  ["aXb", "Did you mean `a.b`?"],
  ["web-", "Did you mean `web-1`?"],
  ["constructor", undefined],
])("the target %s is unknown: %s", (target, guess) => {
  const { code, message, next } = failureOf(() => selectHosts(FILE, [target]));
  expect({ code, message, next }).toEqual({
    code: "TARGET_UNKNOWN",
    message: `nothing in hosts.json is called ${target}`,
    next: [
      ...(guess === undefined ? [] : [guess]),
      "Choose from: prod, staging, web-1, web-2, stage-1, a.b, tag:eu, tag:us, all",
    ],
  });
});

test.each([{ exclude: ["web-9"] }, { limit: ["web-9"] }])(
  "a mistake in %j is as much an error as one in a target",
  (narrowing) => {
    expect(failureOf(() => selectHosts(FILE, ["web-1"], narrowing)).code).toBe("TARGET_UNKNOWN");
  },
);

test("a selection that leaves nobody is an error, not a quiet success", () => {
  expect(failureOf(() => selectHosts(FILE, ["prod"], { exclude: ["web-*"] }))).toMatchObject({
    code: "TARGET_UNKNOWN",
    why: "every host named is also left out",
  });
  expect(failureOf(() => selectHosts(FILE, []))).toMatchObject({ why: "no target was named" });
});
