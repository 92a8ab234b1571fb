import { expect, test } from "vitest";
import { maskFor, maskLog } from "../../../src/doctor/mask.ts";
import { Secret } from "../../../src/secret.ts";
import { findLeaks, randomSecret } from "../../support/canaries.ts";
import { hostEntry } from "../../support/host-entry.ts";

const mask = maskFor({
  hosts: [
    hostEntry({ name: "web-1", ssh: { host: "web-1.example.com", user: "deploy" } }),
    hostEntry({ name: "web-10", ssh: { host: "192.0.2.7" } }),
  ],
  homes: ["/home/ana", "/home/deploy"],
  others: ["ana", "laptop", "root"],
  secrets: [new Secret("the-word-of-the-wrapper")],
});

test.each([
  ["web-1: push to deploy@web-1.example.com:22", "host-1: push to ACCOUNT@address-1:22"],
  ["`sync-creds push web-10`", "`sync-creds push host-2`"],
  ["a web-1-like name", "a web-1-like name"],
  ["/home/ana/.claude of ana@laptop", "~/.claude of NAME@NAME"],
  ["http://127.0.0.1:8000, ::1 and 192.0.2.7", "http://127.0.0.1:8000, ::1 and address-2"],
  ["198.51.100.4 and 2001:db8:0:1::5", "[address] and [address]"],
  ["Claude Code 2.1.330 at 22:41:39 as root", "Claude Code 2.1.330 at 22:41:39 as root"],
  ["mail to ana.b@example.org", "mail to [e-mail]"],
  ["it said the-word-of-the-wrapper", "it said [redacted]"],
])("%s", (text, masked) => {
  expect(mask(text)).toBe(masked);
});

test("of a log nothing is left that looks like a secret, in whatever spelling", () => {
  const secret = randomSecret();
  const hex = Buffer.from(secret).toString("hex");
  const url = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16)}`).join("");
  const lines = [
    `Authorization: Bearer ${secret}`,
    `{"apiKey": "${secret}"} and x-api-key=${secret}`,
    Buffer.from(secret).toString("base64"),
    Array.from(secret).toReversed().join(""),
    hex.toUpperCase(),
    url,
  ].map(maskLog);
  expect(findLeaks([{ where: "log", bytes: Buffer.from(lines.join("\n")) }], { secret })).toEqual(
    [],
  );
});

test("what a log says stays", () => {
  const line = "INFO: 127.0.0.1:5312 - POST /chat 200 in /usr/lib/python3.11/site-packages/uvicorn";
  expect(maskLog(line)).toBe(line);
});
