import { expect, test } from "vitest";
import { compareWith, toUsableName } from "../../../src/hosts/candidates.ts";

test.each([
  ["web-1", "web-1"],
  ["my web (old)", "my-web-old-"],
  ["_gw", "gw"],
  ["-x", "x"],
  ["ärger", "rger"],
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001-db8-1"],
  ["***", ""],
  ["a".repeat(80), "a".repeat(64)],
])("%j is called %j in hosts.json", (name, usable) => {
  expect(toUsableName(name)).toBe(usable);
});

test("a host is new, there already, or unfit for a reason that is told", () => {
  const content = {
    hosts: { "web-1": { ssh: { host: "web-1" } } },
    groups: { prod: { hosts: ["web-1"] } },
  };
  const all = ["web-1", "web-2", "_web-2", "all", "prod", "***", "bad"].map((name) => ({
    name,
    entry: { ssh: name === "bad" ? "a b" : "web" },
    groups: [],
    notes: [],
  }));
  expect(compareWith(content, all)).toMatchObject([
    { host: "web-1", state: "present" },
    { host: "web-2", state: "new" },
    { name: "_web-2", state: "unfit", why: "it would have the same name as web-2" },
    { state: "unfit", why: "`all` is reserved: as a target, it means every host" },
    { state: "unfit", why: "there is a group `prod` already" },
    { name: "***", state: "unfit", why: "no name can be made of its own" },
    { name: "bad", state: "unfit", why: expect.stringMatching(/^ssh must be/) as string },
  ]);
});
