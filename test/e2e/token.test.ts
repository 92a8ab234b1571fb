import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { openLaptop } from "../support/laptop.ts";
import type { Ended, Laptop } from "../support/laptop.ts";
import { fakeSetupToken, setupFrame, wrapped } from "../support/setup-token.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";

const TOKEN = fakeSetupToken();
const OTHER = fakeSetupToken("b");
const KEY = "sk-ant-api03-CANARYkey-0123456789_abc";
const DAY_MS = 24 * 3600_000;

describe("token set", () => {
  test("takes the token out of the output of setup-token, and keeps it for its owner alone", async () => {
    using laptop = openLaptop();
    const ended = await laptop.run(["token", "set", "web-2"], wrapped(setupFrame(TOKEN), 80));

    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(
      /^web-2: setup token [0-9a-f]{8}, stored in ~\/\.config\/sync-creds\/tokens\/web-2; 365 days left\n$/,
    );
    expect(ended.stderr).toBe("put together from 2 lines: 108 characters\n");
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${TOKEN}\n`);
    expect(statSync(fileOf(laptop)).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(fileOf(laptop))).mode & 0o777).toBe(0o700);
    expectNoToken(ended);
  });

  test("says that a bare token may be a login's", async () => {
    using laptop = openLaptop();
    const ended = await laptop.run(["token", "set", "web-2"], `${TOKEN}\n`);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain("the access token of a login looks the same");
  });

  test.each([
    ["an API key", KEY, "API key"],
    ["a wrapper's bearer", "hunter2-CANARY", "other secret"],
  ])("takes %s", async (_, secret, kind) => {
    using laptop = openLaptop();
    const ended = await laptop.run(["token", "set", "web-2"], secret);
    expect(ended.stdout).toMatch(new RegExp(`^web-2: ${kind} [0-9a-f]{8}, stored in [^;]+\n$`));
    expect(ended.stderr).toBe("");
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${secret}\n`);
  });

  test("does not replace another token unless told so", async () => {
    using laptop = openLaptop();
    await laptop.run(["token", "set", "web-2"], OTHER);

    const refused = await laptop.run(["token", "set", "web-2"], setupFrame(TOKEN));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("✖ there is a token web-2 already  INPUT_NEEDED\n");
    expect(refused.stderr).toContain("`--yes`");
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${OTHER}\n`);

    const replaced = await laptop.run(["token", "set", "web-2", "--yes"], setupFrame(TOKEN));
    expect(replaced.code).toBe(0);
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${TOKEN}\n`);
  });

  test("does not replace a file that the user has written, either", async () => {
    using laptop = openLaptop();
    mkdirSync(dirname(fileOf(laptop)), { recursive: true });
    writeFileSync(fileOf(laptop), `${OTHER}\n`, { mode: 0o644 });

    expect((await laptop.run(["token", "set", "web-2"], TOKEN)).code).toBe(2);
    expect((await laptop.run(["token", "set", "web-2", "-y"], TOKEN)).code).toBe(0);
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${TOKEN}\n`);
    expect(statSync(fileOf(laptop)).mode & 0o777).toBe(0o600);
  });

  test("the same token once more is no younger, and needs no consent", async () => {
    using laptop = openLaptop();
    const issued = dayBefore(100);
    await laptop.run(["token", "set", "web-2", "--issued", issued], TOKEN);
    const ended = await laptop.run(["token", "set", "web-2"], TOKEN);
    expect(ended.stdout).toContain("265 days left");
  });

  test("as JSON, with the day of issue that was told", async () => {
    using laptop = openLaptop();
    const argv = ["token", "set", "web-2", "--issued", dayBefore(400), "--json"];
    const ended = await laptop.run(argv, setupFrame(TOKEN));

    expect(JSON.parse(ended.stdout)).toMatchObject({
      type: "result",
      schemaVersion: 1,
      exitCode: 0,
      token: { name: "web-2", kind: "setup-token", ageDays: 400, daysLeft: -35, store: "file" },
    });
    expectNoToken(ended);
  });

  test.each([
    ["nothing", "", "no token came"],
    ["two tokens", `${TOKEN}\n${OTHER}`, "the text holds 2 different tokens"],
    ["a refresh token", "sk-ant-ort01-CANARYrefresh-0001", "that is a refresh token"],
    ["a login", `{"claudeAiOauth":{"accessToken":"${TOKEN}"}}`, "that is a credentials file"],
    ["a placeholder", "<token>", "that is a placeholder"],
    ["control characters", "CANARY\u0007CANARY", "the text holds control characters"],
    ["too much", "CANARY".repeat(5000), "that is too much to be a secret"],
  ])("refuses %s, and stores nothing", async (_, text, what) => {
    using laptop = openLaptop();
    const ended = await laptop.run(["token", "set", "web-2"], text);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`✖ ${what}  TOKEN_UNUSABLE\n`);
    expect(existsSync(join(laptop.laptop, ".config"))).toBe(false);
    expectNoToken(ended);
  });

  test.each([
    ["a token in place of a name", ["set", KEY]],
    ["a path in place of a name", ["set", "../web-2"]],
    ["a day that is none", ["set", "web-2", "--issued", "2026-02-30"]],
    ["a day to come", ["set", "web-2", "--issued", "2099-01-01"]],
    ["a token as an argument", ["set", "web-2", KEY]],
  ])("refuses %s", async (_, argv) => {
    using laptop = openLaptop();
    const ended = await laptop.run(["token", ...argv], TOKEN);
    expect(ended.code).toBe(2);
    expect(existsSync(join(laptop.laptop, ".config"))).toBe(false);
    expectNoToken(ended);
  });

  test("a folder that cannot be written is named, and nothing is half stored", async () => {
    using laptop = openLaptop();
    mkdirSync(join(laptop.laptop, ".config"));
    writeFileSync(join(laptop.laptop, ".config", "sync-creds"), "a file in the folder's place");

    const ended = await laptop.run(["token", "set", "web-2"], TOKEN);

    expect(ended.code).toBe(3);
    expect(ended.stderr).toMatch(/cannot be written {2}TOKEN_STORE\n/);
    expectNoToken(ended);
  });
});

describe("token list", () => {
  test("shows what is stored by fingerprint, age and place", async () => {
    using laptop = openLaptop();
    await laptop.run(["token", "set", "web-1", "--issued", dayBefore(10)], TOKEN);
    await laptop.run(["token", "set", "key"], KEY);
    writeFileSync(fileOf(laptop, "by-hand"), "hunter2\n", { mode: 0o600 });
    writeFileSync(fileOf(laptop, "open"), "hunter3\n", { mode: 0o600 });
    chmodSync(fileOf(laptop, "open"), 0o644);

    const ended = await laptop.run(["token", "list"]);

    const rows = ended.stdout.trimEnd().split("\n");
    const place = "~/.config/sync-creds/tokens";
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
      ["NAME", "KIND", "FINGERPRINT", "AGE", "LEFT", "STORED IN"],
      ["by-hand", "other secret", expect.stringMatching(HEX), "-", "-", `${place}/by-hand`],
      ["key", "API key", expect.stringMatching(HEX), "today", "-", `${place}/key`],
      [
        "open",
        "other secret",
        expect.stringMatching(HEX),
        "-",
        "-",
        `${place}/open (open to other users, its mode is 0644)`,
      ],
      [
        "web-1",
        "setup token",
        expect.stringMatching(HEX),
        "10 days",
        "355 days left",
        `${place}/web-1`,
      ],
    ]);
    expectNoToken(ended);
  });

  test("as JSON", async () => {
    using laptop = openLaptop();
    await laptop.run(["token", "set", "web-2"], setupFrame(TOKEN));
    const ended = await laptop.run(["token", "list", "--json"]);

    expect(JSON.parse(ended.stdout)).toMatchObject({
      type: "result",
      exitCode: 0,
      tokens: [{ name: "web-2", kind: "setup-token", ageDays: 0, daysLeft: 365, store: "file" }],
    });
    expectNoToken(ended);
  });

  test("says what to do when there is none", async () => {
    using laptop = openLaptop();
    const ended = await laptop.run(["token", "list"]);
    expect([ended.code, ended.stdout]).toEqual([0, ""]);
    expect(ended.stderr).toContain("`sync-creds token set NAME`");
  });
});

describe("token remove", () => {
  test("leaves nothing of the token", async () => {
    using laptop = openLaptop();
    await laptop.run(["token", "set", "web-2"], TOKEN);
    const ended = await laptop.run(["token", "remove", "web-2"]);

    expect(ended.code).toBe(0);
    expect(existsSync(fileOf(laptop))).toBe(false);
    expect((await laptop.run(["token", "list"])).stdout).toBe("");
  });

  test("of a token that is not there names those that are", async () => {
    using laptop = openLaptop();
    await laptop.run(["token", "set", "web-2"], TOKEN);
    const ended = await laptop.run(["token", "remove", "web-3"]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(
      "✖ there is no token web-3  TOKEN_UNKNOWN\n  why   there are web-2",
    );
  });
});

describe.skipIf(!hasScript)("on a terminal token set", () => {
  test.each([
    ["that marks a paste", (text: string) => `\u001B[200~${text}\u001B[201~\r`],
    ["that does not", (text: string) => `${text}\r`],
  ])("%s takes a paste of many lines, shows none of it and leaves none over", async (_, paste) => {
    using laptop = openLaptop();
    const terminal = openTerminal(laptop, ["token", "set", "web-2"]);
    await terminal.shows("Paste the token or the output of `claude setup-token`");
    terminal.type(paste(setupFrame(TOKEN).replaceAll("\n", "\r")));

    expect(await terminal.ended).toBe(0);
    expect(stripVTControlCharacters(terminal.raw())).toContain("web-2: setup token");
    expect(terminal.raw()).not.toContain("CANARY");
    expect(terminal.raw()).not.toContain("Keep it safe");
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${TOKEN}\n`);
  });

  test("asks before it replaces; no is the default", async () => {
    using laptop = openLaptop();
    await laptop.run(["token", "set", "web-2"], OTHER);

    const terminal = openTerminal(laptop, ["token", "set", "web-2"]);
    await terminal.shows("Paste the token");
    terminal.type("hunter\u007F\u007Fer2-CANARY\r"); // with a typing error taken back
    await terminal.shows(/Replace the token web-2 \([0-9a-f]{8}\)\?/);
    terminal.type("\r");
    expect(await terminal.ended).toBe(130);
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${OTHER}\n`);

    const again = openTerminal(laptop, ["token", "set", "web-2"]);
    await again.shows("Paste the token");
    again.type("hunter\u007F\u007Fer2-CANARY\r");
    await again.shows(/Replace the token/);
    again.type("y\r");
    expect(await again.ended).toBe(0);
    expect(readFileSync(fileOf(laptop), "utf8")).toBe("hunter2-CANARY\n");
  });

  test("Ctrl-C ends it, and the terminal echoes again", async () => {
    using laptop = openLaptop();
    const terminal = openTerminal(laptop, ["token", "set", "web-2"]);
    await terminal.shows("Paste the token");
    terminal.type("CANARY\u0003");

    expect(await terminal.ended).toBe(130);
    expect(terminal.raw()).toContain("\u001B[?2004l");
    expect(terminal.raw()).not.toContain("CANARY");
    expect(existsSync(join(laptop.laptop, ".config"))).toBe(false);
  });

  test("with --no-input asks nothing", async () => {
    using laptop = openLaptop();
    const terminal = openTerminal(laptop, ["token", "set", "web-2", "--no-input"]);
    expect(await terminal.ended).toBe(2);
    expect(terminal.raw()).toContain("INPUT_NEEDED");
  });
});

const HEX = /^[0-9a-f]{8}$/;

function fileOf({ laptop }: Laptop, name = "web-2"): string {
  return join(laptop, ".config", "sync-creds", "tokens", name);
}

function dayBefore(days: number): string {
  const day = new Date(Date.now() - days * DAY_MS);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

function expectNoToken({ stdout, stderr }: Ended): void {
  expect(stdout + stderr).not.toContain("CANARY");
}
