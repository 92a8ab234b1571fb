import { execFileSync, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { fingerprintOfKey, hasAuthority, judgeHostKey } from "../../../src/connect/known-hosts.ts";
import { generateKey, hasSshd, readHostKey, type HostKey } from "../../support/sshd.ts";

const directory = mkdtempSync(join(tmpdir(), "sync-creds-known-"));
const FILE = join(directory, "known_hosts");
afterAll(() => rmSync(directory, { recursive: true }));

const HOSTS = ["web-1.example.com", "web-2.example.com", "192.0.2.7", "2001:db8::7"];
const PORTS = [22, 2222];

/** The name a host is looked up by. */
function nameOf(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

function hashed(name: string): string {
  const salt = Buffer.from("0123456789abcdefghij");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

const plainName = fc
  .tuple(fc.constantFrom(...HOSTS), fc.constantFrom(...PORTS))
  .map(([host, port]) => nameOf(host, port));
const pattern = fc.constantFrom(
  "*.example.com",
  "web-?.example.com",
  "[*.example.com]:2222",
  "[web-1.*]:*",
  "!web-2.example.com",
  "!*",
  "*",
  "WEB-1.EXAMPLE.COM",
  "web",
);
const names = fc.oneof(
  plainName,
  plainName.map(hashed),
  fc
    .array(fc.oneof(plainName, pattern), { minLength: 1, maxLength: 4 })
    .map((all) => all.join(",")),
);
const marker = fc.constantFrom("", "", "", "@revoked ", "@cert-authority ");

/** What `ssh-keygen -F` finds: line number, marker and key of each match. */
function findBySshKeygen(name: string): { line: number; kind: string; key: Buffer }[] {
  const { stdout } = spawnSync("ssh-keygen", ["-F", name, "-f", FILE], { encoding: "utf8" });
  const found: { line: number; kind: string; key: Buffer }[] = [];
  const lines = stdout.split("\n");
  for (const [at, text] of lines.entries()) {
    const [, line, kind = ""] = /^# Host .* found: line (\d+) ?(\w*)/.exec(text) ?? [];
    if (line === undefined) continue;
    const blob = (lines[at + 1] ?? "").split(/\s+/).find((word) => word.startsWith("AAAA")) ?? "";
    found.push({ line: Number(line), kind, key: Buffer.from(blob, "base64") });
  }
  return found;
}

describe.skipIf(!hasSshd)("known_hosts files", () => {
  test(
    "mean to us what they mean to ssh-keygen -F, whatever stands in them",
    { timeout: 60_000 },
    () => {
      const keys: HostKey[] = (["ed25519", "ecdsa", "rsa"] as const).flatMap((type) =>
        [1, 2].map((number) => {
          const file = join(directory, `${type}-${number}`);
          generateKey(file, type);
          return readHostKey(`${file}.pub`);
        }),
      );
      const entry = fc
        .tuple(marker, names, fc.constantFrom(...keys), fc.constantFrom("", " a comment", "\r"))
        .map(
          ([mark, list, { type, blob }, tail]) =>
            `${mark}${list} ${type} ${blob.toString("base64")}${tail}`,
        );
      const line = fc.oneof(
        { weight: 9, arbitrary: entry },
        fc.constantFrom("", "# web-1.example.com", "  "),
      );

      const seen = { matches: 0 };
      fc.assert(
        fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
          const text = `${lines.join("\n")}\n`;
          writeFileSync(FILE, text);
          const files = [{ path: FILE, text }];
          for (const host of HOSTS) {
            const found = findBySshKeygen(host);
            seen.matches += found.length;
            const plain = found.filter(({ kind }) => kind === "");
            const judged = judgeHostKey(files, host, 22, keys[0]!.blob);
            expect(judged.knownFingerprints).toEqual(plain.map(({ key }) => fingerprintOfKey(key)));
            expect(hasAuthority(files, host, 22)).toBe(found.some(({ kind }) => kind === "CA"));
            for (const { blob } of keys) {
              const isRevoked = found.some(
                ({ kind, key }) => kind === "REVOKED" && key.equals(blob),
              );
              const isKnown = plain.some(({ key }) => key.equals(blob));
              const { verdict } = judgeHostKey(files, host, 22, blob);
              expect(verdict === "revoked").toBe(isRevoked);
              expect(verdict === "known").toBe(isKnown && !isRevoked);
            }
            const ofPort = findBySshKeygen(nameOf(host, 2222)).filter(({ kind }) => kind === "");
            if (ofPort.length === 0) continue;
            // Without a key of its own, a port goes by what the bare name has: that is sshconnect.c, not ssh-keygen.
            expect(judgeHostKey(files, host, 2222, keys[0]!.blob).knownFingerprints).toEqual(
              ofPort.map(({ key }) => fingerprintOfKey(key)),
            );
          }
        }),
        { numRuns: 60, seed: 7 },
      );
      expect(seen.matches).toBeGreaterThan(100);
    },
  );

  test("that ssh-keygen has hashed are read back", () => {
    generateKey(join(directory, "one"), "ed25519");
    const { type, blob } = readHostKey(join(directory, "one.pub"));
    const text = HOSTS.map((host) => `${nameOf(host, 2222)} ${type} ${blob.toString("base64")}\n`);
    writeFileSync(FILE, text.join(""));
    execFileSync("ssh-keygen", ["-q", "-H", "-f", FILE], { stdio: "ignore" });
    const files = [{ path: FILE, text: execFileSync("cat", [FILE], { encoding: "utf8" }) }];
    expect(files[0]?.text).not.toContain("example.com");
    for (const host of HOSTS) expect(judgeHostKey(files, host, 2222, blob).verdict).toBe("known");
  });
});
