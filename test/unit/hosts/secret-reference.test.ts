import { inspect } from "node:util";
import { expect, test } from "vitest";
import type { SecretReference } from "../../../src/hosts/host.ts";
import { resolveSecret } from "../../../src/hosts/secret-reference.ts";
import { fakePorts, fakeRun, type FakeWorld } from "../../support/fake-ports.ts";

const TOKEN_FILE = "/home/ann/.config/sync-creds/tokens/web-2";

test.each<[SecretReference, FakeWorld]>([
  [{ env: "TOKEN" }, { env: { TOKEN: "hunter2" } }],
  [{ file: "token" }, { files: { "/etc/sync/token": { content: "hunter2\n" } } }],
  [{ file: "../token" }, { files: { "/etc/token": { content: "hunter2\r\n", mode: 0o400 } } }],
  [{ file: "~/token" }, { files: { "/home/ann/token": { content: "hunter2" } } }],
  [{ token: "web-2" }, { files: { [TOKEN_FILE]: { content: "hunter2\n" } } }],
  [{ command: "op read x" }, fakeRun({ stdout: "hunter2\n" })],
])("%j is found", async (reference, world) => {
  const secret = await resolve(reference, world);
  expect(secret.reveal()).toBe("hunter2");
});

test.each<[NodeJS.Platform, string[]]>([
  ["linux", ["/bin/sh", "-c", "op read x | head -1"]],
  ["win32", ["cmd", "/d", "/c", "op read x | head -1"]],
])("on %s a command is run by %j", async (platform, argv) => {
  const { run, calls } = fakeRun({ stdout: "a" });
  await resolve({ command: "op read x | head -1" }, { platform, run });
  expect(calls).toEqual([argv]);
});

test("on Windows the mode of a file means nothing", async () => {
  const files = { "C:\\sync\\token": { content: "hunter2", mode: 0o666 } };
  const ports = fakePorts({ platform: "win32", home: "C:\\Users\\ann", files });
  expect((await resolveSecret({ file: "token" }, ports, "C:\\sync")).reveal()).toBe("hunter2");
});

test.each<[SecretReference, FakeWorld, string, string]>([
  [{ env: "TOKEN" }, {}, "the variable TOKEN is not set", "Set `TOKEN`"],
  [{ file: "token" }, {}, "the file /etc/sync/token does not exist", "mode 0600"],
  [
    { file: "token" },
    { files: { "/etc/sync/token": "EACCES" } },
    "the file /etc/sync/token cannot be read",
    "`ls -l /etc/sync/token`",
  ],
  [
    { file: "to ken" },
    { files: { "/etc/sync/to ken": { content: "hunter2", mode: 0o640 } } },
    "the file /etc/sync/to ken is open to other users",
    "Run `chmod 600 '/etc/sync/to ken'`",
  ],
  [
    { token: "web-2" },
    {},
    `the file ${TOKEN_FILE} does not exist`,
    "Store it: `sync-creds token set web-2`",
  ],
  [
    { token: "web-2" },
    { files: { [TOKEN_FILE]: { content: "hunter2", mode: 0o604 } } },
    `the file ${TOKEN_FILE} is open to other users`,
    `Run \`chmod 600 ${TOKEN_FILE}\``,
  ],
  [
    { command: "op read x" },
    fakeRun({ code: 1, stdout: "hunter2", stderr: "hunter2" }),
    "the command `op read x` failed",
    "Run the command yourself",
  ],
  [
    { command: "op read x" },
    fakeRun({ code: null, stdout: "hunter2" }),
    "the command `op read x` failed",
    "Run the command yourself",
  ],
  [
    { command: "op read x" },
    { run: () => Promise.reject(new Error("timed out after hunter2")) },
    "the command `op read x` did not finish",
    "Run the command yourself",
  ],
])("%j is unavailable", async (reference, world, message, next) => {
  const failure: unknown = await resolve(reference, world).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "SECRET_UNAVAILABLE", message });
  expect(failure).toHaveProperty("next.0", expect.stringContaining(next));
  expect(inspect(failure, { depth: 9 })).not.toContain("hunter2");
});

test.each([
  ["", "is empty"],
  ["\n", "is empty"],
  ["  ", "is empty"],
  ["hunter2\nhunter2", "holds more than one line"],
  ["hunter2\n\n", "holds more than one line"],
  ["hunter2\r", "holds more than one line"],
  ["hunter2\0", "holds characters that cannot be sent"],
  ["hunter2\u001b", "holds characters that cannot be sent"],
  ["hunter2\u2026", "holds characters that cannot be sent"],
  ["h".repeat(20_000), "holds too much to be a secret"],
])("%j is no secret that a header can hold", async (value, flaw) => {
  const failure: unknown = await resolve({ env: "TOKEN" }, { env: { TOKEN: value } }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({
    code: "SECRET_UNAVAILABLE",
    message: `the variable TOKEN ${flaw}`,
  });
  expect(inspect(failure, { depth: 9 })).not.toMatch(/hunter2|hhhh/);
});

function resolve(reference: SecretReference, world: FakeWorld) {
  return resolveSecret(reference, fakePorts(world), "/etc/sync");
}
