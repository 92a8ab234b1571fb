import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  fingerprintOfKey,
  judgeHostKey,
  knownKeyTypes,
  renderKnownHostsLine,
} from "../../../src/connect/known-hosts.ts";

const KEY = ed25519(1);
const OTHER = ed25519(2);
const RSA = blob("ssh-rsa", Buffer.of(1, 0, 1), Buffer.alloc(257, 0x7f));
const SALT = Buffer.alloc(20, 7);

function judge(text: string, key = KEY, host = "web-1.example.com", port = 22) {
  return judgeHostKey([{ path: "known_hosts", text }], host, port, key);
}

describe("a key is judged by", () => {
  test.each([
    ["its plain name", `web-1.example.com ${line(KEY)}`, "known"],
    ["its name in another case", `WEB-1.Example.com ${line(KEY)}`, "known"],
    ["a list of names", `a,web-1.example.com,b ${line(KEY)}`, "known"],
    ["a wildcard", `*.example.com ${line(KEY)}`, "known"],
    ["a question mark", `web-?.example.com ${line(KEY)}`, "known"],
    ["a negation that wins", `*.example.com,!web-1.* ${line(KEY)}`, "unknown"],
    ["a negation alone", `!other ${line(KEY)}`, "unknown"],
    ["a hashed name", renderKnownHostsLine("web-1.example.com", 22, KEY, SALT), "known"],
    ["a hashed name of somebody else", renderKnownHostsLine("web-2", 22, KEY, SALT), "unknown"],
    [
      "one of several keys",
      `web-1.example.com ${line(OTHER)}\nweb-1.example.com ${line(KEY)}`,
      "known",
    ],
    ["another key", `web-1.example.com ${line(OTHER)}`, "changed"],
    ["a key of another type", `web-1.example.com ${line(RSA)}`, "changed"],
    ["nothing", "", "unknown"],
    ["another host", `web-2 ${line(KEY)}`, "unknown"],
    ["a line with CRLF", `web-1.example.com ${line(KEY)}\r\n`, "known"],
    ["a comment behind the key", `web-1.example.com ${line(KEY)} laptop`, "known"],
    ["tabs and indentation", ` \tweb-1.example.com\t${line(KEY)}`, "known"],
    ["a commented line", `#web-1.example.com ${line(KEY)}`, "unknown"],
    ["@revoked", `web-1.example.com ${line(KEY)}\n@revoked * ${line(KEY)}`, "revoked"],
    [
      "@revoked for another key",
      `web-1.example.com ${line(KEY)}\n@revoked * ${line(OTHER)}`,
      "known",
    ],
    ["@cert-authority alone", `@cert-authority *.example.com ${line(OTHER)}`, "ca-only"],
    [
      "@cert-authority beside a key",
      `@cert-authority * ${line(OTHER)}\nweb-1.example.com ${line(KEY)}`,
      "known",
    ],
    ["an unknown marker", `@trusted web-1.example.com ${line(KEY)}`, "unknown"],
    ["a key that is not base64", "web-1.example.com ssh-ed25519 ****", "unknown"],
    [
      "a key cut short",
      `web-1.example.com ssh-ed25519 ${KEY.subarray(0, 40).toString("base64")}`,
      "unknown",
    ],
    [
      "a key that lies about its type",
      `web-1.example.com ssh-rsa ${KEY.toString("base64")}`,
      "unknown",
    ],
    ["a line without a key", "web-1.example.com", "unknown"],
    ["SSH 1", "web-1.example.com 1024 35 1234567890", "unknown"],
  ] as const)("%s", (_name, text, verdict) => {
    expect(judge(text).verdict).toBe(verdict);
  });

  test.each([
    ["the port's own entry", `[web-1.example.com]:2222 ${line(KEY)}`, "known"],
    ["another port's entry", `[web-1.example.com]:2223 ${line(KEY)}`, "unknown"],
    ["the bare name's entry", `web-1.example.com ${line(KEY)}`, "known"],
    [
      "the bare name, when the port has another type",
      `[web-1.example.com]:2222 ${line(RSA)}\nweb-1.example.com ${line(KEY)}`,
      "changed",
    ],
    [
      "the port first",
      `[web-1.example.com]:2222 ${line(OTHER)}\nweb-1.example.com ${line(KEY)}`,
      "changed",
    ],
    ["the bare name's other key", `web-1.example.com ${line(OTHER)}`, "changed"],
    ["the bare name's revocation", `@revoked web-1.example.com ${line(KEY)}`, "revoked"],
    ["a hashed port", renderKnownHostsLine("web-1.example.com", 2222, KEY, SALT), "known"],
  ] as const)("on another port than 22, %s", (_name, text, verdict) => {
    expect(judge(text, KEY, "web-1.example.com", 2222).verdict).toBe(verdict);
  });
});

test("the verdict names the fingerprints on record, the file and the line that decided", () => {
  expect(judge(`# mine\nother ${line(KEY)}\nweb-1.example.com ${line(OTHER)}`)).toEqual({
    verdict: "changed",
    knownFingerprints: [fingerprintOfKey(OTHER)],
    file: "known_hosts",
    line: 3,
    name: "web-1.example.com",
  });
});

test("the second file is read too, and a key known in either is known", () => {
  const files = [
    { path: "mine", text: `web-1 ${line(OTHER)}` },
    { path: "global", text: `web-1 ${line(KEY)}` },
  ];
  expect(judgeHostKey(files, "web-1", 22, KEY)).toMatchObject({ verdict: "known", file: "global" });
});

test("types of known keys come without markers and without repetition", () => {
  const text = `web-1 ${line(RSA)}\nweb-1 ${line(KEY)}\nweb-1 ${line(OTHER)}\n@cert-authority web-1 ${line(KEY)}`;
  const files = [{ path: "known_hosts", text }];
  expect(knownKeyTypes(files, "web-1", 22)).toEqual(["ssh-rsa", "ssh-ed25519"]);
  expect(knownKeyTypes(files, "web-1", 2222)).toEqual(["ssh-rsa", "ssh-ed25519"]);
  expect(knownKeyTypes(files, "web-2", 22)).toEqual([]);
});

test("a rendered line makes the key known, hashed or not, on any port", () => {
  const host = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), fc.boolean(), (name, port, isHashed) => {
      const text = renderKnownHostsLine(name, port, KEY, isHashed ? SALT : undefined);
      expect(judge(text, KEY, name, port).verdict).toBe("known");
      expect(judge(text, OTHER, name, port).verdict).toBe("changed");
    }),
  );
});

test("no text makes the parser throw or trust a key that is not in it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      expect(judge(text).verdict).not.toBe("known");
    }),
  );
});

test("a pattern full of stars is matched in good time", () => {
  const text = `${"*a".repeat(2000)}b ${line(KEY)}`;
  expect(judge(text, KEY, "a".repeat(2000)).verdict).toBe("unknown");
});

const hasKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;
if (!hasKeygen && process.env["CI"])
  throw new Error("ssh-keygen is missing, and in CI nothing may be skipped");

describe.skipIf(!hasKeygen)("as ssh-keygen sees it", () => {
  const directory = mkdtempSync(join(tmpdir(), "sync-creds-known-hosts-"));
  const file = join(directory, "known_hosts");
  afterAll(() => rmSync(directory, { recursive: true }));

  const name = fc.constantFrom(
    "web-1",
    "web-2",
    "web-1.example.com",
    "10.0.0.1",
    "[web-1]:2222",
    "*",
    "web-?",
    "web*",
    "!web-1",
    "*.com",
    "WEB-1",
  );
  const entry = fc
    .record({
      names: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      key: fc.constantFrom(KEY, OTHER, RSA),
      end: fc.constantFrom("", "\r", " comment", "\t"),
    })
    .map(({ names, key, end }) => `${names.join(",")} ${line(key)}${end}`);
  const hashed = fc
    .record({
      host: fc.constantFrom("web-1", "web-2"),
      port: fc.constantFrom(22, 2222),
      key: fc.constantFrom(KEY, OTHER),
    })
    .map(({ host, port, key }) => renderKnownHostsLine(host, port, key, SALT));
  const noise = fc.constantFrom("", "# web-1", "web-1", "web-1 ssh-ed25519", "\u0000");

  test("the same keys are on record (`ssh-keygen -F`)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(entry, hashed, noise), { maxLength: 6 }),
        fc.constantFrom("web-1", "web-1.example.com", "[web-1]:2222"),
        (lines, asked) => {
          const text = `${lines.join("\n")}\n`;
          writeFileSync(file, text);
          const found = spawnSync("ssh-keygen", ["-F", asked, "-f", file], {
            encoding: "utf8",
          }).stdout;
          const theirs = new Set([...found.matchAll(/AAAA\S+/g)].map(([base64]) => base64));
          const [host = "", port = "22"] = asked.startsWith("[") ? ["web-1", "2222"] : [asked];
          for (const key of [KEY, OTHER, RSA]) {
            const judgement = judgeHostKey([{ path: file, text }], host, Number(port), key);
            const isOurs = judgement.verdict === "known" && judgement.name === asked;
            const isTheirs = theirs.has(key.toString("base64"));
            expect({ text, isOurs }).toEqual({ text, isOurs: isTheirs });
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("fingerprints are those of `ssh-keygen -l`", () => {
    for (const type of ["ed25519", "ecdsa", "rsa"]) {
      const key = join(directory, type);
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", key]);
      const listed = execFileSync("ssh-keygen", ["-l", "-f", key], { encoding: "utf8" });
      const [, base64 = ""] = execFileSync("ssh-keygen", ["-y", "-f", key], {
        encoding: "utf8",
      }).split(" ");
      expect(listed).toContain(fingerprintOfKey(Buffer.from(base64, "base64")));
    }
  });

  test("what we hash, it finds", () => {
    writeFileSync(file, `${renderKnownHostsLine("Web-1.example.com", 2222, KEY, SALT)}\n`);
    const found = execFileSync("ssh-keygen", ["-F", "[web-1.example.com]:2222", "-f", file], {
      encoding: "utf8",
    });
    expect(found).toContain("found: line 1");
  });
});

function line(key: Buffer): string {
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString();
  return `${type} ${key.toString("base64")}`;
}

function ed25519(seed: number): Buffer {
  return blob("ssh-ed25519", Buffer.alloc(32, seed));
}

function blob(type: string, ...fields: Buffer[]): Buffer {
  return Buffer.concat(
    [Buffer.from(type), ...fields].map((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      return Buffer.concat([length, field]);
    }),
  );
}
