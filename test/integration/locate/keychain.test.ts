import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { locateCredentials } from "../../../src/locate/locate.ts";
import { nodePorts } from "../../../src/node-ports.ts";
import { credentialsFile } from "../../unit/credentials/a-credentials-file.ts";

const FAKE = fileURLToPath(new URL("../../support/fake-security", import.meta.url));
const HOUR = 3_600_000;
const ITEM = "ann Claude Code-credentials";

let home = "";
let keychain = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sync-creds-mac-"));
  keychain = join(home, "keychain");
  mkdirSync(keychain);
  mkdirSync(join(home, ".claude"));
});
afterEach(() => rmSync(home, { recursive: true }));

/** A Mac whose `security` is the stand-in; everything else is real. */
function locate(env: Record<string, string> = { USER: "ann" }) {
  const real = nodePorts();
  return locateCredentials({
    ...real,
    platform: "darwin",
    home,
    env,
    userName: "ann",
    run: (program, argv, options) =>
      program === "/usr/bin/security"
        ? real.run("env", [`KEYCHAIN=${keychain}`, FAKE, ...argv], options)
        : real.run(program, argv, options),
  });
}

function login(lastsHours: number, accessToken = "sk-ant-oat01-CANARY-mac"): string {
  return credentialsFile(Date.now(), { accessToken, expiresAt: Date.now() + lastsHours * HOUR });
}

function store(item: string, text: string): void {
  writeFileSync(join(keychain, item), text);
}

function writeFile(text: string): void {
  writeFileSync(join(home, ".claude", ".credentials.json"), text, { mode: 0o600 });
}

describe("the login of a Mac", () => {
  test("comes out of the Keychain, by account and service", async () => {
    store(ITEM, login(7));
    const { label, credentials, notes } = await locate();
    expect([label, credentials.kind, notes]).toEqual(["the Keychain", "login", []]);
    expect(readFileSync(join(keychain, "asked"), "utf8")).toBe(`${ITEM}\n`);
  });

  test("with a character beyond ASCII comes in hexadecimal digits, and is read all the same", async () => {
    store(ITEM, login(7).replace("{", '{"organizationName":"Café",'));
    const { credentials, notes } = await locate();
    // Decoded at once: that is how `security` speaks, and nothing that the user should do something about.
    expect([credentials, notes]).toMatchObject([{ kind: "login", hex: false }, []]);
  });

  test("of a directory of one's own is another item", async () => {
    store(ITEM, login(7));
    await expect(locate({ USER: "ann", CLAUDE_CONFIG_DIR: "/elsewhere" })).rejects.toMatchObject({
      code: "CREDENTIALS_NOT_FOUND",
    });
    expect(readFileSync(join(keychain, "asked"), "utf8")).toMatch(
      /^ann Claude Code-credentials-[0-9a-f]{8}\n$/,
    );
  });

  test.each([
    ["the Keychain", 7, 2],
    ["~/.claude/.credentials.json", 2, 7],
    ["the Keychain", 7, -1],
    ["~/.claude/.credentials.json", -1, 7],
  ])(
    "is that of %s when it lasts %i h there and %i h in the file",
    async (label, there, inFile) => {
      store(ITEM, login(there));
      writeFile(login(inFile, "sk-ant-oat01-CANARY-file"));
      const located = await locate();
      expect(located.label).toBe(label);
      expect(located.notes).toEqual([
        expect.stringMatching(
          /holds the newer login; .* holds [0-9a-f]{8}, (valid until|over since)/,
        ),
      ]);
      expect(JSON.stringify(located)).not.toContain("CANARY");
    },
  );

  test("is the file's when the Keychain holds MCP logins only, or nothing", async () => {
    writeFile(login(7));
    expect((await locate()).label).toBe("~/.claude/.credentials.json");
    store(ITEM, '{"mcpOAuth":{}}');
    const { label, notes } = await locate();
    expect(label).toBe("~/.claude/.credentials.json");
    expect(notes).toEqual([expect.stringContaining("no login of Claude Code")]);
  });

  test("is read at the second attempt when the first one failed", async () => {
    store(ITEM, login(7));
    store("fails-once", "");
    expect((await locate()).label).toBe("the Keychain");
  });

  test("in a locked Keychain is not taken for absent; the way to unlock it is told", async () => {
    store(ITEM, login(7));
    store("locked", "");
    await expect(locate()).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      why: expect.stringContaining("over SSH"),
      next: [expect.stringContaining("security unlock-keychain"), expect.any(String)],
    });
    writeFile(login(2));
    const { label, notes } = await locate();
    expect(label).toBe("~/.claude/.credentials.json");
    expect(notes).toEqual([expect.stringContaining("not the Keychain: it is locked")]);
  });

  test("in a Keychain that fails otherwise is unreadable, with the status", async () => {
    store("broken", "");
    await expect(locate()).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      why: expect.stringContaining("status 1"),
    });
  });
});
