import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { classifyIdentity, readIdentity, unlockIdentity } from "../../../src/connect/identities.ts";
import { Secret } from "../../../src/secret.ts";
import { fakePorts } from "../../support/fake-ports.ts";

const PUBLIC_LINE =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB ann";

describe("an identity file is told by its first line", () => {
  test.each([
    ["-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----", /PKCS#8/],
    ["-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4=\n", /PKCS#8/],
    ["PuTTY-User-Key-File-3: ssh-ed25519\n", /\.ppk/],
    ["-----BEGIN DSA PRIVATE KEY-----\n", /DSA/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", /damaged/],
    ["hello", /does not look like/],
    ["", /does not look like/],
  ])("%j cannot be used", (text, why) => {
    expect(classifyIdentity("/key", text).problem?.why).toMatch(why);
  });

  test("a PEM key with a passphrase says so in its header", () => {
    const header =
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n";
    expect(classifyIdentity("/key", header).privateKey?.isEncrypted).toBe(true);
    expect(
      classifyIdentity("/key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n").privateKey?.isEncrypted,
    ).toBe(false);
  });

  test("a public key alone leaves the signing to an agent", () => {
    const identity = classifyIdentity("/key.pub", PUBLIC_LINE);
    expect(identity.publicKey).toHaveLength(51);
    expect(identity.privateKey).toBeUndefined();
  });
});

const isHere = spawnSync("ssh-keygen", ["-?"]).error === undefined;
if (!isHere && process.env["CI"])
  throw new Error("ssh-keygen is missing, and in CI nothing may be skipped");

describe.skipIf(!isHere)("a real key", () => {
  const directory = mkdtempSync(join(tmpdir(), "sync-creds-identities-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const make = (name: string, ...more: string[]): { text: string; pub: string } => {
    const file = join(directory, name);
    execFileSync("ssh-keygen", ["-q", "-f", file, "-C", name, ...more]);
    return { text: readFileSync(file, "latin1"), pub: readFileSync(`${file}.pub`, "latin1") };
  };

  test.each([
    ["ed25519", ["-t", "ed25519", "-N", ""], false],
    ["ed25519 with a passphrase", ["-t", "ed25519", "-N", "secret"], true],
    ["rsa", ["-t", "rsa", "-N", ""], false],
    ["ecdsa", ["-t", "ecdsa", "-N", ""], false],
  ])("%s: its public half is read without the passphrase", (name, args, isEncrypted) => {
    const { text, pub } = make(name.replaceAll(" ", "-"), ...args);
    const identity = classifyIdentity("/key", text);
    expect(identity.privateKey?.isEncrypted).toBe(isEncrypted);
    expect(pub).toContain(identity.publicKey?.toString("base64"));
    expect(identity.problem).toBeUndefined();
  });

  test("a cipher that cannot be read is named, with the way out", () => {
    const { text } = make(
      "chacha",
      "-t",
      "ed25519",
      "-N",
      "secret",
      "-Z",
      "chacha20-poly1305@openssh.com",
    );
    expect(classifyIdentity("/key", text).problem).toMatchObject({
      why: expect.stringContaining("chacha20-poly1305"),
      next: expect.stringContaining("ssh-keygen -p -Z aes256-ctr -f /key"),
    });
  });

  test("a key that others may read is refused; another user's is not", async () => {
    const { text } = make("modes", "-t", "ed25519", "-N", "");
    const exposed = await readIdentity("/key", fakePorts(world(text, 0o644)));
    expect(exposed.problem).toMatchObject({
      why: expect.stringContaining("0644"),
      next: expect.stringContaining("chmod 600 /key"),
    });
    expect((await readIdentity("/key", fakePorts(world(text, 0o644, 0)))).problem).toBeUndefined();
    expect(
      (await readIdentity("/key", fakePorts({ ...world(text, 0o644), platform: "win32" }))).problem,
    ).toBeUndefined();
  });

  test("without its file, a key is known by the public half beside it", async () => {
    const { pub } = make("hardware", "-t", "ed25519", "-N", "");
    const identity = await readIdentity(
      "/key",
      fakePorts({ files: { "/key.pub": { content: pub } } }),
    );
    expect(pub).toContain(identity.publicKey?.toString("base64"));
    expect((await readIdentity("/none", fakePorts())).problem?.why).toBe("the file does not exist");
  });

  test("the passphrase is asked for once, however many hosts want the key", async () => {
    const { text } = make("locked", "-t", "ed25519", "-N", "secret", "-a", "1");
    const questions: string[] = [];
    const human = {
      confirm: () => Promise.resolve(false),
      choose: () => Promise.resolve([]),
      pick: () => Promise.reject(new Error("nothing to pick")),
      text: () => Promise.reject(new Error("nothing to say")),
      password: (question: string) => {
        questions.push(question);
        return Promise.resolve(new Secret(questions.length === 1 ? "wrong" : "secret"));
      },
    };
    const ports = fakePorts({ ...world(text), human });
    const identity = await readIdentity("/key", ports);
    const keys = await Promise.all([
      unlockIdentity(identity, "web-1", ports),
      unlockIdentity(identity, "web-1", ports),
    ]);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).toHaveProperty("type", "ssh-ed25519");
    expect(questions).toEqual([
      "Passphrase of /key (for web-1)",
      "That was wrong. Passphrase of /key (for web-1)",
    ]);
  });

  test("without anybody to ask, a locked key is skipped with the way out", async () => {
    const { text } = make("nobody", "-t", "ed25519", "-N", "secret", "-a", "1");
    const ports = fakePorts(world(text));
    expect(await unlockIdentity(await readIdentity("/key", ports), "web-1", ports)).toMatchObject({
      why: expect.stringContaining("passphrase"),
      next: expect.stringContaining("ssh-add /key"),
    });
  });
});

function world(text: string, mode = 0o600, uid = 1000) {
  return { files: { "/key": { content: text, mode, uid } } };
}
