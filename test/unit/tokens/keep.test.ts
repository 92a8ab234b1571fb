import { describe, expect, test } from "vitest";
import { resolveStoredSecret } from "../../../src/hosts/secret-reference.ts";
import type { Ports } from "../../../src/ports.ts";
import { Secret } from "../../../src/secret.ts";
import { listTokenNames, readEntry } from "../../../src/tokens/entries.ts";
import { forgetToken, keepToken } from "../../../src/tokens/keep.ts";
import { FAKE_NOW, fakeKeychain, fakePorts } from "../../support/fake-ports.ts";

const FILE = "/home/ann/.config/sync-creds/tokens/web-2";
const ENTRY = "/home/ann/.config/sync-creds/tokens/.index/web-2.json";
const TOKEN = new Secret("sk-ant-oat01-CANARYtoken-0001");
const OTHER = new Secret("sk-ant-oat01-CANARYother-0002");
const FACTS = { kind: "setup-token", issuedAt: FAKE_NOW } as const;

describe("a token is kept", () => {
  test("in the keychain, with its entry in a file that holds no secret", async () => {
    const ports = fakePorts();
    const { entry } = await keepToken("web-2", TOKEN, FACTS, ports);

    expect(entry).toMatchObject({ store: "keychain", ...FACTS });
    expect((await ports.keychain.read("web-2"))?.equals(TOKEN)).toBe(true);
    expect(await ports.files.exists(FILE)).toBe(false);
    expect(await textOf(ports, ENTRY)).not.toContain("CANARY");
    expect(await resolve(ports)).toEqual(["setup-token", FAKE_NOW, true]);
  });

  test("in a file where no keychain works, and why is told", async () => {
    const ports = fakePorts({ keychain: fakeKeychain("it is locked") });
    const { entry, notes } = await keepToken("web-2", TOKEN, FACTS, ports);

    expect(entry.store).toBe("file");
    expect(notes).toEqual(["kept in a file, for the keyring cannot be used (it is locked)"]);
    expect(await textOf(ports, FILE)).toBe("sk-ant-oat01-CANARYtoken-0001\n");
    expect(await resolve(ports)).toEqual(["setup-token", FAKE_NOW, true]);
  });

  test.each([
    [{ SYNC_CREDS_TOKEN_STORE: "file" }, "file"],
    [{ SYNC_CREDS_TOKEN_STORE: "keychain", SSH_CONNECTION: "a b" }, "keychain"],
    [{ SYNC_CREDS_TOKEN_STORE: "auto" }, "keychain"],
    [{ SYNC_CREDS_TOKEN_STORE: "" }, "keychain"],
    [{ SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22" }, "file"],
    [{ SSH_TTY: "/dev/pts/1" }, "file"],
  ])("with %j in the %s", async (env, store) => {
    const { entry } = await keepToken("web-2", TOKEN, FACTS, fakePorts({ env }));
    expect(entry.store).toBe(store);
  });

  test.each([
    [{}, { SYNC_CREDS_TOKEN_STORE: "file" }],
    [{ SYNC_CREDS_TOKEN_STORE: "file" }, {}],
  ])("in one place only, when it moves from %j to %j", async (before, after) => {
    const ports = fakePorts({ env: before });
    await keepToken("web-2", OTHER, FACTS, ports);
    // The wish to keep out of the keychain would hinder the removal from there.
    const moved = { ...ports, env: after };
    const { entry, notes } = await keepToken("web-2", TOKEN, FACTS, moved);

    const isInFile = await ports.files.exists(FILE);
    const isInKeychain = (await ports.keychain.read("web-2")) !== undefined;
    if (entry.store === "keychain")
      expect([isInFile, isInKeychain, notes]).toEqual([false, true, []]);
    else {
      expect(notes).toEqual([
        "the former token stays in the keychain, unused: SYNC_CREDS_TOKEN_STORE is `file`",
      ]);
    }
    expect(await resolve(moved)).toEqual(["setup-token", FAKE_NOW, true]);
  });

  test("or nothing is changed: with the keychain insisted on, and locked", async () => {
    const ports = fakePorts({ env: { SYNC_CREDS_TOKEN_STORE: "file" } });
    await keepToken("web-2", OTHER, FACTS, ports);
    const insisting = {
      ...ports,
      env: { SYNC_CREDS_TOKEN_STORE: "keychain" },
      keychain: fakeKeychain("it is locked"),
    };

    await expect(keepToken("web-2", TOKEN, FACTS, insisting)).rejects.toMatchObject({
      code: "TOKEN_STORE",
      why: "the keyring cannot be used (it is locked)",
    });
    expect(await textOf(ports, FILE)).toBe("sk-ant-oat01-CANARYother-0002\n");
    expect(await readEntry("web-2", ports)).toMatchObject({ store: "file" });
  });

  test("not in a keychain that forgets it at once", async () => {
    const keychain = { ...fakeKeychain(), write: () => Promise.resolve() };
    const { entry } = await keepToken("web-2", TOKEN, FACTS, fakePorts({ keychain }));
    expect(entry.store).toBe("file");
  });

  test("nowhere, if the variable says something else", async () => {
    const ports = fakePorts({ env: { SYNC_CREDS_TOKEN_STORE: "vault" } });
    await expect(keepToken("web-2", TOKEN, FACTS, ports)).rejects.toMatchObject({ code: "USAGE" });
    expect(await listTokenNames(ports)).toEqual([]);
  });
});

describe("a stored token is resolved", () => {
  test("without a date when the user has put another one into its file", async () => {
    const ports = fakePorts({ env: { SYNC_CREDS_TOKEN_STORE: "file" } });
    await keepToken("web-2", OTHER, FACTS, ports);
    await ports.files.writePrivate(FILE, Buffer.from(`${TOKEN.reveal()}\n`));
    expect(await resolve(ports)).toEqual(["setup-token", undefined, true]);
  });

  test("from a file that the user has written, without an entry", async () => {
    const ports = fakePorts({ files: { [FILE]: { content: TOKEN.reveal() } } });
    expect(await resolve(ports)).toEqual(["setup-token", undefined, true]);
    expect(await listTokenNames(ports)).toEqual(["web-2"]);
  });

  test.each([
    [fakeKeychain("it is locked"), "the token web-2 in the keyring cannot be read", "it is locked"],
    [fakeKeychain(), "the token web-2 in the keyring is gone", "the keyring is locked, or"],
  ])("not from a keychain that does not give it", async (keychain, what, why) => {
    const ports = fakePorts();
    await keepToken("web-2", TOKEN, FACTS, ports);
    await expect(resolve({ ...ports, keychain })).rejects.toMatchObject({
      code: "SECRET_UNAVAILABLE",
      message: what,
      why: expect.stringContaining(why),
    });
  });

  test("not by an entry that is damaged", async () => {
    const ports = fakePorts({ files: { [ENTRY]: { content: '{"kind":"api' } } });
    await expect(resolve(ports)).rejects.toMatchObject({ code: "TOKEN_STORE" });
    await keepToken("web-2", TOKEN, FACTS, ports);
    expect(await resolve(ports)).toEqual(["setup-token", FAKE_NOW, true]);
  });
});

describe("a token is forgotten", () => {
  test.each([{}, { SYNC_CREDS_TOKEN_STORE: "file" }])("with its entry: %j", async (env) => {
    const ports = fakePorts({ env });
    await keepToken("web-2", TOKEN, FACTS, ports);
    await forgetToken("web-2", ports);

    expect(await listTokenNames(ports)).toEqual([]);
    expect(await ports.keychain.read("web-2")).toBeUndefined();
  });

  test("not when the keychain holds on to it", async () => {
    const ports = fakePorts();
    await keepToken("web-2", TOKEN, FACTS, ports);
    const locked = { ...ports, keychain: fakeKeychain("it is locked") };

    await expect(forgetToken("web-2", locked)).rejects.toMatchObject({ code: "TOKEN_STORE" });
    expect(await listTokenNames(ports)).toEqual(["web-2"]);
  });
});

/** Kind, date, and whether it is `TOKEN`. */
async function resolve(ports: Ports): Promise<unknown[]> {
  const found = await resolveStoredSecret({ token: "web-2" }, ports, "/etc/sync");
  return [found.kind, found.issuedAt, found.secret.equals(TOKEN)];
}

async function textOf({ files }: Ports, path: string): Promise<string> {
  return (await files.read(path)).bytes.toString("utf8");
}
