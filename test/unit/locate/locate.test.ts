import { describe, expect, test } from "vitest";
import { locateCredentials } from "../../../src/locate/locate.ts";
import type { Ports } from "../../../src/ports.ts";
import { FAKE_NOW, fakePorts, fakeRun } from "../../support/fake-ports.ts";
import type { FakeWorld } from "../../support/fake-ports.ts";
import { credentialsFile } from "../credentials/a-credentials-file.ts";

const USUAL = "/home/ann/.claude/.credentials.json";
const LEGACY = "/home/ann/.config/claude/.credentials.json";
const GOOD = { content: credentialsFile(FAKE_NOW) };
const EXPIRED = { content: credentialsFile(FAKE_NOW, { expiresAt: FAKE_NOW - 1 }) };
const MCP_ONLY = { content: '{"mcpOAuth":{}}' };

describe("which file", () => {
  test("the usual one", async () => {
    expect(await locate({ files: { [USUAL]: GOOD, [LEGACY]: GOOD } })).toMatchObject({
      label: "~/.claude/.credentials.json",
      credentials: { kind: "login", place: "~/.claude/.credentials.json" },
      notes: [],
    });
  });

  test("what is found holds no bytes that could be printed", async () => {
    expect(JSON.stringify(await locate({ files: { [USUAL]: GOOD } }))).not.toContain("CANARY");
  });

  test("an old place is used, and said to be one", async () => {
    const { label, notes } = await locate({ files: { [USUAL]: MCP_ONLY, [LEGACY]: GOOD } });

    expect(label).toBe("~/.config/claude/.credentials.json");
    expect(notes).toEqual([
      "~/.config/claude/.credentials.json is where only old versions of Claude Code kept the login",
    ]);
  });

  test("MCP logins alone are named when there is nothing better", async () => {
    const { label, credentials } = await locate({ files: { [USUAL]: MCP_ONLY } });
    expect([label, credentials.kind]).toEqual(["~/.claude/.credentials.json", "mcp-only"]);
  });

  test.each(["{", '{"claudeAiOauth":{"accessToken":"","expiresAt":0}}', '{"claudeAiOauth":7}'])(
    "a file that is broken or blanked (%s) is not passed over for an older login",
    async (content) => {
      const { label } = await locate({ files: { [USUAL]: { content }, [LEGACY]: GOOD } });
      expect(label).toBe("~/.claude/.credentials.json");
    },
  );

  test("a variable that points nowhere is an error, not another login", async () => {
    const env = { CLAUDE_CONFIG_DIR: "/elsewhere" };
    await expect(locate({ env, files: { [USUAL]: GOOD } })).rejects.toMatchObject({
      code: "CREDENTIALS_NOT_FOUND",
      message: "/elsewhere/.credentials.json does not exist",
      why: "CLAUDE_CONFIG_DIR points to /elsewhere; no other place was looked at",
      next: [
        "Log in there: run `claude` and type `/login`",
        "Or use the login of the default place: `unset CLAUDE_CONFIG_DIR`",
      ],
    });
  });

  test("nothing anywhere: all places are named", async () => {
    await expect(locate({})).rejects.toMatchObject({
      code: "CREDENTIALS_NOT_FOUND",
      why: "looked at ~/.claude/.credentials.json: nothing; ~/.config/claude/.credentials.json: nothing; ~/.config/claude-code/auth.json: nothing",
    });
  });
});

describe("inside WSL", () => {
  const wsl = { env: { WSL_DISTRO_NAME: "Debian" } };
  const ofWindows = "/mnt/c/Users/Zoë/.claude/.credentials.json";

  test("the Linux login is used, the Windows one is shown with the way to it", async () => {
    const files = { [USUAL]: GOOD, [ofWindows]: { ...EXPIRED, mode: 0o777 } };
    const { label, notes } = await locate({ ...wsl, files });
    expect(label).toBe("~/.claude/.credentials.json");
    expect(notes).toEqual([
      expect.stringMatching(
        /^~\/\.claude\/\.credentials\.json of WSL holds [0-9a-f]{8}, valid until .*, and was read; \/mnt\/c\/Users\/Zoë\/\.claude\/\.credentials\.json of Windows holds [0-9a-f]{8}, over since .*: to push that one, `CLAUDE_CONFIG_DIR='\/mnt\/c\/Users\/Zoë\/\.claude' sync-creds push`$/,
      ),
    ]);
  });

  test("asked for by CLAUDE_CONFIG_DIR, the Windows login is used without a word about its mode", async () => {
    const env = { ...wsl.env, CLAUDE_CONFIG_DIR: "/mnt/c/Users/Zoë/.claude" };
    const files = { [USUAL]: GOOD, [ofWindows]: { ...GOOD, mode: 0o777 } };
    const { label, notes } = await locate({ env, files });
    expect(label).toContain("/mnt/c/Users/Zoë");
    expect(notes).toEqual([]);
  });

  test("a disk of Linux that is mounted in such a place has real modes", async () => {
    const env = { CLAUDE_CONFIG_DIR: "/mnt/d" };
    const files = { "/mnt/d/.credentials.json": { ...GOOD, mode: 0o644 } };
    expect((await locate({ env, files })).notes).toEqual([expect.stringContaining("chmod 600")]);
  });

  test("a Windows login alone is named, with the command that pushes it", async () => {
    const files = {
      [ofWindows]: GOOD,
      "/proc/sys/kernel/osrelease": { content: "5.15.0-Microsoft-standard-WSL2\n" },
      "/mnt/c/Users/Public/.claude/.credentials.json": GOOD,
    };
    await expect(locate({ files })).rejects.toMatchObject({
      code: "CREDENTIALS_NOT_FOUND",
      why: expect.stringContaining(ofWindows),
      next: [expect.stringContaining("CLAUDE_CONFIG_DIR="), expect.any(String)],
    });
  });

  test("homes of others, logins of MCP servers and what is nobody's home are passed over", async () => {
    const of = (name: string) => `/mnt/c/Users/${name}/.claude/.credentials.json`;
    const files = {
      [USUAL]: GOOD,
      [of("bob")]: "EACCES",
      [of("cy")]: MCP_ONLY,
      [of("Default User")]: GOOD,
      [of("All Users")]: GOOD,
    };
    expect((await locate({ ...wsl, files })).notes).toEqual([]);
  });

  test("beside MCP logins alone the Windows login is the one to name", async () => {
    const files = { [USUAL]: MCP_ONLY, [ofWindows]: GOOD };
    await expect(locate({ ...wsl, files })).rejects.toMatchObject({
      message: "Claude Code is not logged in inside WSL",
      why: expect.stringContaining("~/.claude/.credentials.json: no login of Claude Code"),
    });
  });

  test("a variable that points nowhere is an error, whatever Windows has", async () => {
    const env = { ...wsl.env, CLAUDE_CONFIG_DIR: "/elsewhere" };
    await expect(locate({ env, files: { [ofWindows]: GOOD } })).rejects.toMatchObject({
      message: "/elsewhere/.credentials.json does not exist",
    });
  });

  test("the command sets the variable that counts", async () => {
    const env = { ...wsl.env, CLAUDE_SECURESTORAGE_CONFIG_DIR: "" };
    const { notes } = await locate({ env, files: { [USUAL]: GOOD, [ofWindows]: EXPIRED } });
    expect(notes).toEqual([
      expect.stringContaining("`CLAUDE_SECURESTORAGE_CONFIG_DIR='/mnt/c/Users/Zoë/.claude' sync"),
    ]);
  });

  test("elsewhere nobody looks at /mnt/c", async () => {
    const { notes } = await locate({ files: { [USUAL]: GOOD, [ofWindows]: GOOD } });
    expect(notes).toEqual([]);
  });
});

describe("on Windows", () => {
  const windows = (home: string) => ({ platform: "win32", home, cwd: "C:\\" }) as const;

  test.each([
    String.raw`C:\Users\Ümit`,
    String.raw`C:\Users\Ангелина Ж`,
    String.raw`D:\Benutzer\山田 太郎`,
  ])("the login of %s is found", async (home) => {
    const files = { [`${home}\\.claude\\.credentials.json`]: { ...GOOD, mode: 0o666 } };
    const { label, notes } = await locate({ ...windows(home), files });
    // The mode says nothing there.
    expect([label, notes]).toEqual([String.raw`~\.claude\.credentials.json`, []]);
  });

  test("a file that other users may read is used, and the cure named", async () => {
    const path = String.raw`C:\Users\ann\.claude\.credentials.json`;
    const { run } = fakeRun({ stdout: "O:BAG:SYD:(A;;FA;;;SY)(A;ID;0x1200a9;;;BU)\r\n" });
    const world = { ...windows(String.raw`C:\Users\ann`), files: { [path]: GOOD }, run };
    expect((await locate(world)).notes).toEqual([
      String.raw`~\.claude\.credentials.json is open to other users of this laptop, namely all users (S-1-5-32-545): run ${"`"}icacls "${path}" /inheritance:r /grant:r "ann:F" /remove:g *S-1-5-32-545${"`"}`,
    ]);
  });

  test("a user of WSL is told where to run this", async () => {
    await expect(locate(windows(String.raw`C:\Users\ann`))).rejects.toMatchObject({
      next: expect.arrayContaining([expect.stringContaining("WSL")]),
    });
  });
});

describe("a file that cannot be read", () => {
  test.each([
    ["EACCES", "permission denied: it, or a directory above it, belongs to another user"],
    ["EISDIR", "it is a directory"],
    ["EINVAL", "it is not a regular file"],
    ["EFBIG", "it is larger than 10 MiB: no credentials file is"],
    ["EIO", "the system said EIO"],
  ])("%s", async (code, why) => {
    await expect(locate({ files: { [USUAL]: code, [LEGACY]: GOOD } })).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      message: "~/.claude/.credentials.json cannot be read",
      why,
      next: expect.arrayContaining([`Look at it: \`ls -ld ${USUAL}\``]),
    });
  });
});

test("a file that others can read is used, and the cure named", async () => {
  const { notes } = await locate({ files: { [USUAL]: { ...GOOD, mode: 0o644 } } });
  expect(notes).toEqual([
    `~/.claude/.credentials.json can be read by other users of this laptop (mode 0644): run \`chmod 600 ${USUAL}\``,
  ]);
});

describe("while Claude Code writes", () => {
  test.each(["", '{"claudeAiOauth":{"acc', "{}}"])(
    "%j is read again until it is whole",
    async (half) => {
      const { ports, slept } = rewriting([half, half, GOOD.content]);

      expect((await locateCredentials(ports)).credentials.kind).toBe("login");
      expect(slept()).toBe(200);
    },
  );

  test("a half-written file that stays one is named after five looks", async () => {
    const { ports, slept } = rewriting(["{"]);

    expect((await locateCredentials(ports)).credentials.kind).toBe("truncated");
    expect(slept()).toBe(400);
  });

  test("a file that vanishes for a moment is waited for", async () => {
    const { ports } = rewriting([GOOD.content], { missingAt: 2 });
    expect((await locateCredentials(ports)).credentials.kind).toBe("login");
  });

  test("a file that never comes to rest is not read", async () => {
    const { ports } = rewriting([GOOD.content], { restless: true });
    await expect(locateCredentials(ports)).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      why: "another program keeps rewriting it",
    });
  });
});

describe("while Claude Code renews the login", () => {
  const OAUTH_LOCK = "/home/ann/.claude/.oauth_refresh.lock";

  test.each([OAUTH_LOCK, "/home/ann/.claude.lock"])("%s is waited for", async (lock) => {
    let looks = 0;
    const { ports, slept } = locked((path) =>
      path === lock && ++looks <= 3 ? FAKE_NOW - 4000 : undefined,
    );

    expect((await locateCredentials(ports)).notes).toEqual([]);
    expect(slept()).toBe(750);
  });

  test.each([
    ["was not touched for a minute", FAKE_NOW - 60_000],
    ["is dated in the future", FAKE_NOW + 3_600_000],
  ])("a lock that %s belongs to nobody", async (_, touchedAt) => {
    const { ports, slept } = locked(() => touchedAt);

    await locateCredentials(ports);
    expect(slept()).toBe(0);
  });

  test("it is waited for no longer than a minute, and said so", async () => {
    const { ports, slept } = locked(() => FAKE_NOW);

    expect((await locateCredentials(ports)).notes).toEqual([
      expect.stringContaining("over a minute"),
    ]);
    expect(slept()).toBe(60_000);
  });
});

test("a wait of more than a second is told, once", async () => {
  const { ports } = locked(() => FAKE_NOW);
  const told: string[] = [];

  await locateCredentials(ports, { tell: (note) => told.push(note) });
  expect(told).toEqual(["Claude Code is renewing this login: waiting for it, at most a minute"]);
});

test("a lock that cannot be seen is not waited for: reading the file says what is wrong", async () => {
  const { ports, slept } = counting();
  const files = { ...ports.files, modifiedAt: () => Promise.reject(new Error("EACCES")) };

  expect((await locateCredentials({ ...ports, files })).notes).toEqual([]);
  expect(slept()).toBe(0);
});

function locate(world: FakeWorld) {
  return locateCredentials(fakePorts(world));
}

/** A file whose content moves on with every pause, the last content staying. */
function rewriting(
  contents: readonly string[],
  { missingAt = 0, restless = false }: { missingAt?: number; restless?: boolean } = {},
): { ports: Ports; slept: () => number } {
  let pauses = 0;
  let reads = 0;
  const { ports, slept } = counting(() => pauses++);
  const read: Ports["files"]["read"] = (path) => {
    reads++;
    const content = contents[Math.min(pauses, contents.length - 1)] ?? "";
    const files = path === USUAL && reads !== missingAt ? { [USUAL]: { content } } : {};
    const snapshot = fakePorts({ files }).files.read(path);
    return restless ? snapshot.then((calm) => ({ ...calm, inode: reads })) : snapshot;
  };
  return { ports: { ...ports, files: { ...ports.files, read } }, slept };
}

function locked(modifiedAt: (path: string) => number | undefined) {
  const { ports, slept } = counting();
  const files = { ...ports.files, modifiedAt: (path: string) => Promise.resolve(modifiedAt(path)) };
  return { ports: { ...ports, files }, slept };
}

function counting(onSleep = () => {}): { ports: Ports; slept: () => number } {
  let total = 0;
  const sleep = (milliseconds: number) => {
    total += milliseconds;
    onSleep();
    return Promise.resolve();
  };
  return { ports: fakePorts({ files: { [USUAL]: GOOD }, sleep }), slept: () => total };
}
