import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseSshTarget } from "../../../src/hosts/ssh-target.ts";

test.each([
  ["web-1", { host: "web-1" }],
  ["prod.web_1", { host: "prod.web_1" }],
  ["bücher.example.com", { host: "bücher.example.com" }],
  ["web-1.example.com:2222", { host: "web-1.example.com", port: 2222 }],
  ["ann@web-1", { host: "web-1", user: "ann" }],
  ["ann@192.0.2.7:22", { host: "192.0.2.7", user: "ann", port: 22 }],
  ["ann@EXAMPLE.COM@web-1", { host: "web-1", user: "ann@EXAMPLE.COM" }],
  [String.raw`CORP\ann@web-1`, { host: "web-1", user: String.raw`CORP\ann` }],
  ["ann@[2001:db8::1]:2222", { host: "2001:db8::1", user: "ann", port: 2222 }],
  ["[fe80::1%eth0]", { host: "fe80::1%eth0" }],
  ["ann@2001:db8::1", { host: "2001:db8::1", user: "ann" }],
  ["ssh://ann@web-1:22", { host: "web-1", user: "ann", port: 22 }],
  ["ssh://web-1/", { host: "web-1" }],
])("%s is understood", (text, target) => {
  expect(parseSshTarget(text)).toEqual(target);
});

test.each([
  "",
  " ",
  "@",
  "@web-1",
  "ann@",
  "web-1:",
  "web-1:0",
  "web-1:65536",
  "web-1:-1",
  "web-1:22x",
  "-oProxyCommand=touch${IFS}x",
  "ann@-oProxyCommand=x",
  "-l@web-1",
  "ssh://-oProxyCommand=x",
  "ssh://ann@-x/",
  String.raw`ann\@web-1`,
  "a nn@web-1",
  "web 1",
  "web-1\n",
  "web-1\0",
  "\tweb-1",
  "web-1;id",
  "web-1&id",
  "web-1|id",
  "$(id)",
  "`id`",
  "ann$x@web-1",
  "we'b",
  'we"b',
  "web<1",
  "web(1)",
  "web{1,2}",
  "web,1",
  "web\\1",
  "web*",
  "../web",
  "%h",
  "web\u202e1",
  "web\u200b1",
  "web\u00a01",
  "web\ud800",
  "[web-1]",
  "[::1",
  "[::1]x",
  "[:::::]",
  "::1%",
  "::1%eth0;id",
  "a".repeat(256),
])("%j is refused", (text) => {
  expect(parseSshTarget(text)).toBeUndefined();
});

test("no part that is accepted starts with a dash or holds a control character or blank", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("-", "@", ":", "[", "]", "ssh://", "web", "::1", "22", "\n", "\\", "%"),
  );
  const address = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const property = fc.property(address, (text) => {
    const { host = "none", user = "none" } = parseSshTarget(text) ?? {};
    return [host, user].every((part) => !/^-|^$|[\p{C}\s'"`$;&<>|(){}]|\\$/u.test(part));
  });
  expect(() => fc.assert(property, { numRuns: 2_000 })).not.toThrow();
});
