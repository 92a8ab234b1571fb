import { inspect } from "node:util";
import { expect, test } from "vitest";
import { SyncCredsError, toSyncCredsError } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";

const VALUE = "sk-ant-oat01-CANARY";
const secret = new Secret(VALUE);

test.each<[string, string]>([
  ["String()", String(secret)],
  ["a template", `${secret}`], // oxlint-disable-line typescript/restrict-template-expressions -- the point of the test
  ["concatenation", "" + secret], // oxlint-disable-line typescript/restrict-plus-operands -- the point of the test
  ["toLocaleString", secret.toLocaleString()],
  ["inspect", inspect(secret)],
])("by %s it prints [redacted]", (_, printed) => {
  expect(printed).toBe("[redacted]");
});

test("inside other values it prints [redacted] too", () => {
  const nested = { login: { token: secret }, list: [secret] };
  expect(JSON.stringify(nested)).toBe('{"login":{"token":"[redacted]"},"list":["[redacted]"]}');
  const everything = inspect(nested, { depth: 9, showHidden: true, getters: true });
  expect(everything).toContain("[redacted]");
  expect(everything).not.toContain("CANARY");
});

test("it has no property that could be read", () => {
  expect(Object.entries(secret)).toEqual([]);
  expect(Reflect.ownKeys(secret)).toEqual([]);
});

test("reveal is the way out", () => {
  expect(secret.reveal()).toBe(VALUE);
});

test.each([
  ["the same text", VALUE, true],
  ["a shorter one", VALUE.slice(1), false],
  ["nothing", "", false],
])("it equals %s: %s: %s", (_, text, expected) => {
  expect(secret.equals(new Secret(text))).toBe(expected);
  expect(secret.equalsBytes(Buffer.from(text))).toBe(expected);
});

test("an error that is not ours is called a bug, one of ours is left alone", () => {
  const ours = new SyncCredsError("LOCKED", "busy");
  expect(toSyncCredsError(ours)).toBe(ours);
  expect(toSyncCredsError(new TypeError("x is no function"))).toMatchObject({
    code: "BUG",
    why: "x is no function",
    exitStatus: 1,
  });
  expect(toSyncCredsError("a text").why).toBe("a text");
});

test("bytes that are no text come out as they went in", () => {
  const bytes = Buffer.from([0xff, 0, 0x7b]);
  const strange = new Secret(bytes);
  expect(strange.revealBytes().equals(bytes)).toBe(true);
  expect(strange.equalsBytes(bytes)).toBe(true);
  expect(new Secret("è").revealBytes().equals(Buffer.from("è"))).toBe(true);
  expect(JSON.stringify({ strange })).toBe('{"strange":"[redacted]"}');
});
