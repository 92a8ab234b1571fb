import { describe, expect, test } from "vitest";
import { keychainArguments, readKeychainAnswer } from "../../../src/locate/keychain.ts";
import { locateCredentials } from "../../../src/locate/locate.ts";
import type { Ran } from "../../../src/ports.ts";
import { FAKE_NOW, fakePorts, fakeRun } from "../../support/fake-ports.ts";
import type { FakeWorld } from "../../support/fake-ports.ts";
import { credentialsFile } from "../credentials/a-credentials-file.ts";

const FILE = "/home/ann/.claude/.credentials.json";
const HOUR = 3_600_000;

describe("the question", () => {
  test.each<[string, Record<string, string>, string, string]>([
    ["that USER names", { USER: "bob" }, "ann", "bob"],
    ["that the system names", { USER: "" }, "ann", "ann"],
    ["that Claude Code takes where nobody names one", {}, "unknown", "claude-code-user"],
  ])("is for the account %s", (_, env, userName, account) => {
    expect(keychainArguments({ env, userName })).toEqual([
      "find-generic-password",
      "-a",
      account,
      "-s",
      "Claude Code-credentials",
      "-w",
    ]);
  });

  test("hashes the name of a directory of one's own as it is spelled", () => {
    const serviceOf = (directory: string) =>
      keychainArguments({ env: { CLAUDE_CONFIG_DIR: directory }, userName: "ann" })[4];
    // printf /tmp/x | sha256sum
    expect(serviceOf("/tmp/x")).toBe("Claude Code-credentials-2e56aa36");
    expect(serviceOf("/tmp/x/")).not.toBe(serviceOf("/tmp/x"));
    expect(serviceOf("/tmp/e\u0301")).toBe(serviceOf("/tmp/\u00e9"));
  });
});

describe("the answer", () => {
  test.each([
    ['{"a":1}\n', '{"a":1}'],
    ['{"a":1}\n\n', '{"a":1}\n'],
    ["7b22c3a9227d\n", '{"é"}'],
    ["7B7D\n", "{}"],
    ["\n", ""],
  ])("%j is %j", (stdout, text) => {
    expect(read({ code: 0, stdout })).toEqual({ kind: "found", bytes: Buffer.from(text) });
  });

  test.each<[number | null, string]>([
    [44, "absent"],
    [36, "locked"],
    [51, "unreadable"],
    [1, "unreadable"],
    [null, "unreadable"],
  ])("status %j means %s", (code, kind) => {
    expect(read({ code }).kind).toBe(kind);
  });
});

describe("Keychain and file", () => {
  test.each([
    ["valid for a century, as only proxies say", { expiresAt: Date.UTC(2100, 0, 1) }],
    ["a made-up word", { accessToken: "sk-ant-oat01-placeholder" }],
    ["without the right to ask", { scopes: ["user:profile"] }],
    ["cleared", { accessToken: "", expiresAt: 0 }],
    ["past its deadline", { expiresAt: FAKE_NOW + 9 * HOUR, refreshTokenExpiresAt: FAKE_NOW - 1 }],
  ])("a login in the Keychain that is %s does not win", async (_, different) => {
    const { label, notes } = await locate({ keychain: different, file: {} });
    expect(label).toBe("~/.claude/.credentials.json");
    expect(notes).toEqual([
      expect.stringMatching(/^~\/\.claude\/\.credentials\.json was read; the Keychain holds /),
    ]);
    expect(notes.join()).not.toMatch(/CANARY|placeholder/);
  });

  test("the same token in both is not called newer", async () => {
    const { label, notes } = await locate({ keychain: {}, file: {} });
    expect([label, notes]).toEqual([
      "the Keychain",
      ["the Keychain was read; ~/.claude/.credentials.json holds the same token"],
    ]);
  });

  test("a login without `claudeAiOauth` around it is none in the Keychain", async () => {
    const stdout = '{"accessToken":"sk-ant-oat01-CANARYflat","expiresAt":4000000000000}';
    const { label } = await locateOnMac({ run: fakeRun({ stdout }).run, files: fileWith({}) });
    expect(label).toBe("~/.claude/.credentials.json");
  });

  test("what is over in both is for the user to see: the login that ended last", async () => {
    const { label, credentials } = await locate({
      keychain: { accessToken: "sk-ant-oat01-CANARYk", expiresAt: FAKE_NOW - HOUR },
      file: { expiresAt: FAKE_NOW - 2 * HOUR },
    });
    expect([label, credentials.kind]).toEqual(["the Keychain", "login"]);
  });

  test("a file whose login is over does not stand in for a locked Keychain", async () => {
    const files = fileWith({ expiresAt: FAKE_NOW - 1 });
    await expect(locateOnMac({ run: fakeRun({ code: 36 }).run, files })).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      message: "the Keychain cannot be read",
      why: expect.stringMatching(/over SSH.*credentials\.json: [0-9a-f]{8}, over since /),
      next: expect.arrayContaining([
        "Unlock it: `security unlock-keychain ~/Library/Keychains/login.keychain-db`",
      ]),
    });
  });

  test("a file that cannot be read is mentioned beside the Keychain, and an error without it", async () => {
    const stdout = credentialsFile(FAKE_NOW);
    const files = { [FILE]: "EACCES" };
    const { label, notes } = await locateOnMac({ run: fakeRun({ stdout }).run, files });
    expect([label, notes]).toEqual([
      "the Keychain",
      ["the Keychain was read; ~/.claude/.credentials.json cannot be read"],
    ]);
    for (const without of [{ code: 44 }, { stdout: '{"mcpOAuth":{}}\n' }]) {
      await expect(locateOnMac({ run: fakeRun(without).run, files })).rejects.toMatchObject({
        code: "CREDENTIALS_UNREADABLE",
        message: "~/.claude/.credentials.json cannot be read",
      });
    }
  });

  test("nothing in either names both", async () => {
    await expect(locateOnMac({ run: fakeRun({ code: 44 }).run })).rejects.toMatchObject({
      code: "CREDENTIALS_NOT_FOUND",
      why: expect.stringContaining(
        "the Keychain: nothing; ~/.claude/.credentials.json: nothing; ~/.config",
      ),
    });
  });
});

describe("a Keychain that is slow", () => {
  test("is asked twice, with a pause, five seconds each, and is not taken for an empty one", async () => {
    const patience: number[] = [];
    const pauses: number[] = [];
    const world: FakeWorld = {
      run: (program, _, { timeoutMs }) => {
        expect(program).toBe("/usr/bin/security");
        patience.push(timeoutMs);
        return Promise.reject(Object.assign(new Error("slow"), { code: "ETIMEDOUT" }));
      },
      sleep: async (milliseconds) => void pauses.push(milliseconds),
    };
    await expect(locateOnMac(world)).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      why: expect.stringContaining("did not answer within 5 s"),
    });
    expect([patience, pauses]).toEqual([[5000, 5000], [300]]);

    const { notes } = await locateOnMac({ ...world, files: fileWith({}) });
    expect(notes).toEqual([expect.stringContaining("was read, not the Keychain: `security` did")]);
  });
});

function read(ran: Partial<Ran>) {
  return readKeychainAnswer({ code: 0, stdout: "", stderr: "", ...ran });
}

function fileWith(different: Record<string, unknown>) {
  return { [FILE]: { content: credentialsFile(FAKE_NOW, different) } };
}

function locate(logins: { keychain: Record<string, unknown>; file: Record<string, unknown> }) {
  const { run } = fakeRun({ stdout: `${credentialsFile(FAKE_NOW, logins.keychain)}\n` });
  return locateOnMac({ run, files: fileWith(logins.file) });
}

function locateOnMac(world: FakeWorld) {
  return locateCredentials(fakePorts({ platform: "darwin", ...world }));
}
