import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findLeaks, tracesBelow } from "../support/canaries.ts";
import { hasKeyring, runWithKeyring } from "../support/keyring.ts";
import { openLaptop } from "../support/laptop.ts";
import type { Laptop } from "../support/laptop.ts";
import { fakeSetupToken, setupFrame } from "../support/setup-token.ts";

const TOKEN = fakeSetupToken();

describe.skipIf(!hasKeyring)("a keyring that is open", () => {
  test("keeps the token, out of every file; list opens nothing; remove empties it", async () => {
    using laptop = openLaptop();
    writeFileSync(join(laptop.laptop, "frame"), setupFrame(TOKEN));

    const ended = await runWithKeyring(
      laptop,
      "unlocked",
      "$CLI token set web-2 <frame; rm frame; $CLI token list; $CLI token list --json",
    );

    expect(ended.stdout).toMatch(
      /^web-2: setup token [0-9a-f]{8}, stored in the keyring; 365 days left\n/,
    );
    expect(ended.stdout).toMatch(
      /\nweb-2 +setup token +[0-9a-f]{8} +today +365 days left +the keyring\n/,
    );
    expect(ended.stdout).toContain('"store":"keychain"');
    expect(existsSync(fileOf(laptop))).toBe(false);
    expect(findLeaks(tracesBelow(laptop.laptop), { token: TOKEN.slice(20) })).toEqual([]);

    const later = await runWithKeyring(
      laptop,
      "unlocked",
      "$CLI token remove web-2; $CLI token list",
    );
    expect(later.stdout).toMatch(/^web-2: removed/);
    expect(later.stderr).toContain("no token is stored");
  });

  test("takes over a token from a file", async () => {
    using laptop = openLaptop();
    await laptop.run(["token", "set", "web-2"], setupFrame(TOKEN));
    writeFileSync(join(laptop.laptop, "frame"), setupFrame(TOKEN));

    const ended = await runWithKeyring(laptop, "unlocked", "$CLI token set web-2 <frame");

    expect(ended.stdout).toContain("stored in the keyring");
    expect(existsSync(fileOf(laptop))).toBe(false);
  });
});

describe.skipIf(!hasKeyring)("a keyring that is locked", () => {
  test("is passed over for a file, and why is told", async () => {
    using laptop = openLaptop();
    writeFileSync(join(laptop.laptop, "frame"), setupFrame(TOKEN));

    const ended = await runWithKeyring(laptop, "locked", "$CLI token set web-2 <frame");

    expect(ended.stdout).toContain("stored in ~/.config/sync-creds/tokens/web-2");
    expect(ended.stderr).toMatch(/^kept in a file, for the keyring cannot be used \(.+\)\n$/);
    expect(readFileSync(fileOf(laptop), "utf8")).toBe(`${TOKEN}\n`);
  });

  test("insisted on, it is an error, and nothing is stored", async () => {
    using laptop = openLaptop();
    writeFileSync(join(laptop.laptop, "frame"), setupFrame(TOKEN));

    const script = "SYNC_CREDS_TOKEN_STORE=keychain $CLI token set web-2 <frame; echo status $?";
    const ended = await runWithKeyring(laptop, "locked", script);

    expect(ended.stdout).toBe("status 3\n");
    expect(ended.stderr).toContain("✖ the token web-2 could not be stored  TOKEN_STORE\n");
    expect((await laptop.run(["token", "list"])).stdout).toBe("");
  });

  test("does not lose the token that is in it", async () => {
    using laptop = openLaptop();
    writeFileSync(join(laptop.laptop, "frame"), setupFrame(TOKEN));
    await runWithKeyring(laptop, "unlocked", "$CLI token set web-2 <frame");

    const locked = await runWithKeyring(
      laptop,
      "locked",
      "$CLI token remove web-2; echo status $?",
    );
    expect(locked.stdout).toBe("status 3\n");
    expect(locked.stderr).toContain("Unlock the keychain");

    const open = await runWithKeyring(laptop, "unlocked", "$CLI token remove web-2");
    expect(open.stdout).toMatch(/^web-2: removed/);
  });
});

function fileOf({ laptop }: Laptop): string {
  return join(laptop, ".config", "sync-creds", "tokens", "web-2");
}
