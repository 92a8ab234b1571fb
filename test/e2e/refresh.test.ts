import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installClaude, logIn, openLaptop, pathWithoutClaude } from "../support/laptop.ts";
import type { ClaudeMode, Laptop } from "../support/laptop.ts";
import { until } from "../support/until.ts";

const MINUTE_MS = 60_000;
const OLD = {
  accessToken: "sk-ant-oat01-CANARYold-access-0001",
  refreshToken: "sk-ant-ort01-CANARYold-refresh-0001",
};
const due = () => ({ ...OLD, expiresAt: Date.now() + 3 * MINUTE_MS });
const early = () => ({ ...OLD, expiresAt: Date.now() + 5 * 60 * MINUTE_MS });

test("refresh lets Claude Code renew a login in its last minutes, and shows both", async () => {
  using laptop = openLaptop();
  const { ended, claude, path } = await refresh(laptop, "renews", due());

  expect(ended).toMatchObject({ code: 0 });
  expect(ended.stdout).toMatch(
    /^renewed: [0-9a-f]{8}, valid until .+ \(in 8 h 0 min\)\nbefore: [0-9a-f]{8}, valid until .+ \(in 3 min\)\n$/,
  );
  expect(readFileSync(path, "utf8")).toContain("CANARYrenewed-access");
  expect(claude.calls()).toEqual([
    {
      argv: ["-p", expect.any(String), "--output-format", "json"],
      outranking: [],
      cwd: join(laptop.laptop, ".config", "sync-creds", "refresh"),
      signals: [],
    },
  ]);
  expectNoToken(ended);
});

test("an access token that is over is renewed, too", async () => {
  using laptop = openLaptop();
  const { ended } = await refresh(laptop, "renews", { ...OLD, expiresAt: Date.now() - MINUTE_MS });
  expect(ended.stdout).toMatch(/^renewed: .*\nbefore: [0-9a-f]{8}, over since .+ \(1 min ago\)\n$/);
});

test("too early is told honestly, with the time when it can be done", async () => {
  using laptop = openLaptop();
  const { ended } = await refresh(laptop, "renews", early());

  expect(ended.code).toBe(0);
  expect(ended.stdout).toMatch(/^unchanged: [0-9a-f]{8}, valid until .+\n$/);
  expect(ended.stderr).toMatch(
    /renews a login in the last 5 minutes of its access token: run this again after .+ \(in 4 h 55 min\)\n$/,
  );
});

test("a token that was revoked before its time is renewed at once", async () => {
  using laptop = openLaptop();
  const { ended } = await refresh(laptop, "revoked", early());
  expect(ended.stdout).toMatch(/^renewed: /);
});

test("as JSON", async () => {
  using laptop = openLaptop();
  const { ended } = await refresh(laptop, "renews", due(), ["--json"]);

  expect(JSON.parse(ended.stdout)).toMatchObject({
    type: "result",
    schemaVersion: 1,
    exitCode: 0,
    refresh: {
      outcome: "renewed",
      place: "~/.claude/.credentials.json",
      before: {
        fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/),
        expiresAt: expect.any(Number),
      },
      after: { fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/), expiresAt: expect.any(Number) },
      dueAt: expect.any(Number),
    },
  });
});

test("what would be used in place of the login is kept away, and named", async () => {
  using laptop = openLaptop();
  const env = { ANTHROPIC_API_KEY: "sk-ant-api03-CANARYkey-0001", CLAUDE_CODE_OAUTH_TOKEN: "" };
  const { ended, claude } = await refresh(laptop, "renews", due(), [], env);

  expect(ended.stdout).toMatch(/^renewed: /);
  expect(ended.stderr).toContain(
    "Claude Code is run without ANTHROPIC_API_KEY, which would be used in place of the login\n",
  );
  expect(claude.calls()[0]?.outranking).toEqual([]);
  expectNoToken(ended);
});

test("a helper in settings.json is kept away, too", async () => {
  using laptop = openLaptop();
  const settings = join(laptop.laptop, ".claude", "settings.json");
  mkdirSync(join(laptop.laptop, ".claude"), { mode: 0o700 });
  const text = JSON.stringify({ apiKeyHelper: "echo no", env: { ANTHROPIC_AUTH_TOKEN: "CANARY" } });
  writeFileSync(settings, text);

  const { ended, claude } = await refresh(laptop, "renews", due());

  expect(ended.stdout).toMatch(/^renewed: /);
  expect(ended.stderr).toContain(
    `Claude Code is run without ${settings}: apiKeyHelper, ANTHROPIC_AUTH_TOKEN there would be used in place of the login\n`,
  );
  expect(claude.calls()[0]?.argv.slice(-2)).toEqual(["--setting-sources", "local"]);
  expect(readFileSync(settings, "utf8")).toBe(text);
});

test("a spent limit does not hide that the login was renewed", async () => {
  using laptop = openLaptop();
  const { ended } = await refresh(laptop, "usage-limit", due());

  expect(ended.code).toBe(0);
  expect(ended.stdout).toMatch(/^renewed: /);
  expect(ended.stderr).toContain(
    "Claude Code said: You've hit your session limit · resets 3:45pm\n",
  );
});

test.each<[ClaudeMode, Record<string, unknown>, string, string, RegExp]>([
  ["rejected", due(), "CREDENTIALS_BLANKED", "was cleared", /renewal was refused/],
  ["unreachable", due(), "REFRESH_FAILED", "could not renew", /Unable to connect to API/],
  ["silent", due(), "REFRESH_FAILED", "could not renew", /it said nothing/],
  ["ignores-the-login", due(), "REFRESH_FAILED", "renewed nothing", /something else/],
  ["unreachable", early(), "REFRESH_FAILED", "could not renew", /Unable to connect to API/],
  [
    "hostile",
    due(),
    "REFRESH_FAILED",
    "could not renew",
    /Overloaded \[redacted\] \[redacted\] end\n/,
  ],
])("%s: the failure is named, and no token shown", async (mode, login, code, what, why) => {
  using laptop = openLaptop();
  const { ended } = await refresh(laptop, mode, login);

  expect(ended.code).toBe(4);
  expect(ended.stdout).toBe("");
  expect(ended.stderr).toContain(code);
  expect(ended.stderr).toContain(what);
  expect(ended.stderr).toMatch(why);
  expect(ended.stderr).not.toContain("\u001B");
  expect(ended.stderr).not.toContain("\u202E");
  expectNoToken(ended);
});

test.each<[string, Record<string, unknown> | undefined, string]>([
  ["no login", undefined, "CREDENTIALS_NOT_FOUND"],
  [
    "a login over its deadline",
    { ...due(), refreshTokenExpiresAt: 1.7e12 },
    "CREDENTIALS_LOGIN_OVER",
  ],
  ["a blanked login", { accessToken: "", refreshToken: "", expiresAt: 0 }, "CREDENTIALS_BLANKED"],
  ["no refresh token", { ...due(), refreshToken: null }, "CREDENTIALS_NOT_RENEWABLE"],
])("%s: Claude Code is not started", async (_, login, code) => {
  using laptop = openLaptop();
  const { ended, claude } = await refresh(laptop, "renews", login);

  expect(ended.code).toBe(4);
  expect(ended.stderr).toContain(code);
  expect(claude.calls()).toEqual([]);
});

test("without a `claude` the error says so, and where it was looked for", async () => {
  using laptop = openLaptop();
  logIn(laptop.laptop, due());
  const ended = await laptop.run(["refresh"], "", { PATH: pathWithoutClaude() });

  expect(ended.code).toBe(4);
  expect(ended.stderr).toContain(
    "✖ there is no `claude` on this laptop's PATH  CLAUDE_NOT_FOUND\n",
  );
});

test("Ctrl-C does not reach Claude Code: the renewal is waited for, and told", async () => {
  using laptop = openLaptop();
  const path = logIn(laptop.laptop, due());
  const claude = installClaude(laptop.laptop, "waits");
  const run = laptop.start(["refresh"], "", { PATH: claude.path });
  await until("Claude Code is renewing", () => claude.isRenewing());

  process.kill(-run.pid, "SIGINT"); // as a terminal does: to the whole group
  await until("the wait is told", () => run.written().includes("is waited for"));
  claude.release();
  const ended = await run.ended;

  expect(ended.code).toBe(130);
  expect(ended.stdout).toMatch(/^renewed: /);
  expect(readFileSync(path, "utf8")).toContain("CANARYrenewed-refresh");
  expect(claude.calls()[0]?.signals).toEqual([]);
});

test("a second Ctrl-C ends the command, and leaves Claude Code to end by itself", async () => {
  using laptop = openLaptop();
  const path = logIn(laptop.laptop, due());
  const claude = installClaude(laptop.laptop, "waits");
  const run = laptop.start(["refresh"], "", { PATH: claude.path });
  await until("Claude Code is renewing", () => claude.isRenewing());

  process.kill(-run.pid, "SIGINT");
  await until("the wait is told", () => run.written().includes("is waited for"));
  process.kill(-run.pid, "SIGINT");
  expect((await run.ended).code).toBe(130);
  claude.release();

  await until("Claude Code has ended", () => claude.calls().length === 1);
  expect(readFileSync(path, "utf8")).toContain("CANARYrenewed-refresh");
});

async function refresh(
  laptop: Laptop,
  mode: ClaudeMode,
  login: Record<string, unknown> | undefined,
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
) {
  const path = login === undefined ? "" : logIn(laptop.laptop, login);
  const claude = installClaude(laptop.laptop, mode);
  const ended = await laptop.run(["refresh", ...argv], "", { PATH: claude.path, ...env });
  return { ended, claude, path };
}

function expectNoToken({ stdout, stderr }: { stdout: string; stderr: string }) {
  expect(stdout + stderr).not.toContain("CANARY");
}
