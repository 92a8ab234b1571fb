import { describe, expect, test } from "vitest";
import { loadHosts } from "../../../src/hosts/load.ts";
import type { Ports } from "../../../src/ports.ts";
import { fakePorts, fakeRun, type FakeFile, type FakeWorld } from "../../support/fake-ports.ts";
import { ENOUGH } from "./a-hosts-file.ts";

const HERE = "/home/ann/hosts/hosts.json";
const IN_CONFIG = "/home/ann/.config/sync-creds/hosts.json";

test("the file named wins over the variable, that over the folder, that over the config", async () => {
  const files = {
    "/srv/named.json": fileOf("named"),
    "/srv/variable.json": fileOf("variable"),
    [HERE]: fileOf("here"),
    [IN_CONFIG]: fileOf("config"),
  };
  const env = { SYNC_CREDS_HOSTS: "/srv/variable.json" };
  expect(await firstHost({ files, env }, "../../../srv/named.json")).toBe("named");
  expect(await firstHost({ files, env })).toBe("variable");
  expect(await firstHost({ files, env: { SYNC_CREDS_HOSTS: "" } })).toBe("here");
  expect(await firstHost({ files: { [IN_CONFIG]: fileOf("config") } })).toBe("config");
});

test.each<[string, FakeWorld, string]>([
  ["XDG_CONFIG_HOME", { env: { XDG_CONFIG_HOME: "/xdg" } }, "/xdg/sync-creds/hosts.json"],
  ["a relative XDG_CONFIG_HOME is ignored", { env: { XDG_CONFIG_HOME: "xdg" } }, IN_CONFIG],
  [
    "%APPDATA%",
    {
      platform: "win32",
      cwd: String.raw`C:\work`,
      home: String.raw`C:\Users\ann`,
      env: { APPDATA: String.raw`D:\data` },
    },
    String.raw`D:\data\sync-creds\hosts.json`,
  ],
  [
    "no %APPDATA%",
    { platform: "win32", cwd: String.raw`C:\work`, home: String.raw`C:\Users\ann` },
    String.raw`C:\Users\ann\AppData\Roaming\sync-creds\hosts.json`,
  ],
])("the config directory: %s", async (_, world, path) => {
  expect(await loadHosts(fakePorts({ ...world, files: { [path]: fileOf("a") } }))).toMatchObject({
    path,
  });
});

test("~/ and relative paths in the file start from home and from its folder", async () => {
  const content = JSON.stringify({
    sshConfig: "./ssh/config",
    defaults: { identityFile: "~/.ssh/id", knownHosts: "../known_hosts" },
    hosts: { a: ENOUGH },
  });
  const { hosts } = await loadHosts(
    fakePorts({ files: { "/srv/a/h.json": { content } } }),
    "/srv/a/h.json",
  );
  expect(hosts[0]).toMatchObject({
    sshConfig: "/srv/a/ssh/config",
    identityFile: "/home/ann/.ssh/id",
    knownHosts: "/srv/known_hosts",
  });
});

test("a byte order mark in front is no problem", async () => {
  const content = `\ufeff${String(fileOf("a").content)}`;
  expect(await firstHost({ files: { [HERE]: { content } } })).toBe("a");
});

test("without any file the places looked at are named", async () => {
  await expect(loadHosts(fakePorts())).rejects.toMatchObject({
    code: "CONFIG_NOT_FOUND",
    message: "no hosts.json was found",
    why: `there is none at ${HERE} or ${IN_CONFIG}`,
  });
});

test.each<[string, FakeWorld, string | undefined, string]>([
  ["-c", {}, "/nowhere.json", "`-c` names it"],
  [
    "the variable",
    { env: { SYNC_CREDS_HOSTS: "/nowhere.json" } },
    undefined,
    "`SYNC_CREDS_HOSTS` names it",
  ],
])(
  "a missing file that %s names is an error even when ./hosts.json exists",
  async (_, world, path, why) => {
    const ports = fakePorts({ files: { [HERE]: fileOf("a") }, ...world });
    await expect(loadHosts(ports, path)).rejects.toMatchObject({
      code: "CONFIG_NOT_FOUND",
      message: "/nowhere.json does not exist",
      why,
    });
  },
);

test.each([
  ["EACCES", "the system said EACCES"],
  ["EISDIR", "it is a folder"],
])("a file that fails with %s is not skipped", async (code, why) => {
  const ports = fakePorts({ files: { [HERE]: code, [IN_CONFIG]: fileOf("a") } });
  await expect(loadHosts(ports)).rejects.toMatchObject({ code: "CONFIG_UNREADABLE", why });
});

test.each([0o620, 0o602, 0o666, 0o777])("a file of mode %o is not trusted", async (mode) => {
  const ports = fakePorts({ files: { [HERE]: { ...fileOf("a"), mode } } });
  await expect(loadHosts(ports)).rejects.toMatchObject({
    code: "CONFIG_UNSAFE",
    next: ["Run `chmod go-w hosts.json`"],
  });
});

test("the command to cure a mode quotes a file name that needs it", async () => {
  const ports = fakePorts({ files: { "/srv/it's.json": { ...fileOf("a"), mode: 0o666 } } });
  await expect(loadHosts(ports, "/srv/it's.json")).rejects.toMatchObject({
    next: [String.raw`Run ${"`"}chmod go-w '/srv/it'\''s.json'${"`"}`],
  });
});

test("a file of another user is not trusted, whatever is in it", async () => {
  const ports = fakePorts({ files: { [HERE]: { content: "sk-ant-oat01-x", uid: 1001 } } });
  await expect(loadHosts(ports)).rejects.toMatchObject({
    code: "CONFIG_UNSAFE",
    message: "hosts.json belongs to another user",
    next: ["Read it, then make it yours: `sudo chown 1000 hosts.json`"],
  });
});

test.each<[string, Partial<FakeFile>, FakeWorld]>([
  ["of root", { uid: 0 }, {}],
  ["that others may read", { mode: 0o644 }, {}],
  [
    "of any mode and owner on Windows",
    { uid: 7, mode: 0o666 },
    { platform: "win32", uid: undefined, cwd: "C:\\" },
  ],
])("a file %s is trusted", async (_, different, world) => {
  const path = world.cwd === undefined ? HERE : "C:\\hosts.json";
  expect(await firstHost({ ...world, files: { [path]: { ...fileOf("a"), ...different } } })).toBe(
    "a",
  );
});

describe("on Windows", () => {
  const PATH = String.raw`C:\Users\Ümit O’Neil\hosts.json`;
  const loadWith = (run: Ports["run"]) =>
    loadHosts(
      fakePorts({
        platform: "win32",
        uid: undefined,
        cwd: String.raw`C:\Users\Ümit O’Neil`,
        files: { [PATH]: fileOf("a") },
        run,
      }),
    );

  test("a file that all users may write is not trusted, and the cure named", async () => {
    const { run, calls } = fakeRun({
      stdout: "O:BAG:SYD:AI(A;ID;FA;;;BA)(A;ID;0x1301bf;;;AU)\r\n",
    });

    await expect(loadWith(run)).rejects.toMatchObject({
      code: "CONFIG_UNSAFE",
      message: "hosts.json can be changed by other users",
      why: expect.stringContaining("everyone with an account (S-1-5-11)"),
      next: [`Run \`icacls "${PATH}" /inheritance:r /grant:r "ann:F" /remove:g *S-1-5-11\``],
    });
    expect(calls).toEqual([
      [
        String.raw`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`,
        "-NoProfile",
        "-NonInteractive",
        "-Command",
        String.raw`$env:PSModulePath = $PSHOME + '\Modules'; (Get-Acl -LiteralPath 'C:\Users\Ümit O’’Neil\hosts.json').Sddl`,
      ],
    ]);
  });

  test("a file that all users may only read is trusted", async () => {
    const { run } = fakeRun({ stdout: "D:(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)" });
    expect((await loadWith(run)).hosts).toHaveLength(1);
  });

  test.each<[string, Ports["run"]]>([
    ["is missing", () => Promise.reject(new Error("ENOENT"))],
    ["fails", fakeRun({ code: 1, stdout: "D:(A;;FA;;;WD)" }).run],
  ])("where PowerShell %s nothing is held against the file", async (_, run) => {
    expect((await loadWith(run)).hosts).toHaveLength(1);
  });
});

test.each<[string, string | Uint8Array, string]>([
  ["of more than 1 MiB", " ".repeat(1_048_577), "hosts.json is larger than 1 MiB"],
  ["in UTF-16", Buffer.from("\ufeff{}", "utf16le"), "hosts.json is not text in UTF-8"],
])("a file %s is refused", async (_, content, message) => {
  const ports = fakePorts({ files: { [HERE]: { content } } });
  await expect(loadHosts(ports)).rejects.toMatchObject({ code: "CONFIG_INVALID", message });
});

test("a problem is shown with the path from here, or the whole path when it is elsewhere", async () => {
  const files = {
    "/home/ann/hosts/sub/h.json": { content: "[]" },
    "/srv/h.json": { content: "[]" },
  };
  const ports = fakePorts({ files });
  await expect(loadHosts(ports, "sub/h.json")).rejects.toMatchObject({
    why: "sub/h.json:1:1 the file must be an object",
  });
  await expect(loadHosts(ports, "/srv/h.json")).rejects.toMatchObject({
    why: "/srv/h.json:1:1 the file must be an object",
  });
});

function fileOf(host: string): FakeFile {
  return { content: JSON.stringify({ hosts: { [host]: ENOUGH } }) };
}

async function firstHost(world: FakeWorld, explicitPath?: string): Promise<string> {
  const { hosts } = await loadHosts(fakePorts(world), explicitPath);
  return hosts[0]!.name;
}
