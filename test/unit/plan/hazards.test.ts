import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../../src/errors.ts";
import type { Host } from "../../../src/hosts/host.ts";
import { findHazard } from "../../../src/plan/hazards.ts";
import type { Entry } from "../../../src/remote/host-files.ts";
import type { ProbeReport } from "../../../src/remote/probe-report.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { ABSENT, PRIVATE_FILE, probeReport } from "./a-probe-report.ts";

const FILE = "/home/deploy/.claude/.credentials.json";
const bytes = Buffer.from("{}");

const directory = (different: Partial<Entry>): Entry => ({
  kind: "directory",
  mode: "drwx------",
  uid: 1001,
  links: 2,
  ...different,
});
const withFile = (different: Partial<Entry>): Partial<ProbeReport> => ({
  fileEntry: { ...PRIVATE_FILE, ...different },
  file: bytes,
});

const systemd: Partial<Host> = { restart: { kind: "systemd", unit: "a.service", scope: "user" } };
const own: Partial<Host> = {
  restart: { kind: "process", directory: "~/wrapper", command: "./run", log: "~/log" },
};
const byCommand: Partial<Host> = {
  restart: { kind: "command", restart: "pm2 restart api", timeoutMs: 1 },
};

const compose: Partial<Host> = {
  restart: { kind: "docker-compose", directory: "/srv/api", service: "api" },
};
const UNKNOWN = "its supervisor does not know it, is not there, or does not talk to this account";

describe("no hazard", () => {
  test.each<[string, Partial<Host>, Partial<ProbeReport>]>([
    ["a host without a login yet", {}, {}],
    ["a host without Claude's directory yet", {}, { dirEntry: ABSENT }],
    ["a host with a file of its own", {}, withFile({})],
    ["a file that others can read, which the push mends", {}, withFile({ mode: "-rw-r--r--" })],
    ["an empty file", {}, { ...withFile({}), file: Buffer.alloc(0) }],
    ["a wrapper that does not run", {}, { wrapper: undefined }],
    [
      "a wrapper whose owner is not to be seen",
      {},
      { wrapper: { pid: 1, start: "1", uid: undefined } },
    ],
    [
      "a wrapper of another account, whose directory was named",
      { configDir: "/srv/claude" },
      { wrapper: { pid: 1, start: "1", uid: 7 } },
    ],
    [
      "a proxy of another account in front of what a command restarts",
      byCommand,
      { wrapper: { pid: 1, start: "1", uid: 0 } },
    ],
    ["free space that is unknown", {}, { freeKiB: undefined }],
    ["just enough free space", {}, { freeKiB: 256 }],
    ["a home that belongs to root", {}, { homeEntry: directory({ uid: 0, mode: "drwxr-xr-x" }) }],
    [
      "a sticky directory above, whose entries are protected",
      {},
      { homeEntry: directory({ mode: "drwxrwxrwt" }) },
    ],
    [
      "no home, where Claude's directory lies elsewhere",
      { configDir: "/srv/claude" },
      { configDir: "/srv/claude", homeEntry: ABSENT },
    ],
    ["a unit that systemd knows", systemd, { unit: "failed" }],
    ["a service that has no container yet", compose, { unit: "absent", directory: "directory" }],
    [
      "a pm2 process that is stopped",
      { restart: { kind: "pm2", name: "api" } },
      { unit: "stopped" },
    ],
    ["our own process in its directory", own, { directory: "directory" }],
  ])("%s", (_, host, report) => {
    expect(findHazard(hostEntry(host), probeReport(report))).toBeUndefined();
  });
});

describe("a hazard", () => {
  test.each<
    [
      what: string,
      expected: { code: ErrorCode; why: string },
      host: Partial<Host>,
      report: Partial<ProbeReport>,
    ]
  >([
    [
      "the host lacks sha256sum, od",
      { code: "REMOTE_TOOLS", why: "every copy is checked by its SHA-256 before it takes effect" },
      {},
      { missing: ["sha256sum", "od"] },
    ],
    [
      "the host names no usable directory for deploy",
      {
        code: "TARGET_UNSAFE",
        why: "its home or Claude's configuration directory is not absolute or holds control characters",
      },
      {},
      { configDir: "/home/\u001B[2Jdeploy/.claude" },
    ],
    [
      "the host names no usable directory for deploy",
      {
        code: "TARGET_UNSAFE",
        why: "its home or Claude's configuration directory is not absolute or holds control characters",
      },
      {},
      { configDir: "" },
    ],
    [
      "the wrapper runs under another account than deploy",
      {
        code: "TARGET_UNSAFE",
        why: "its process has uid 0, this login has uid 1001: it would not read the file we write",
      },
      {},
      { wrapper: { pid: 1, start: "1", uid: 0 } },
    ],
    [
      "the home directory of deploy does not exist",
      { code: "TARGET_UNSAFE", why: "/home/deploy is not a directory" },
      {},
      { homeEntry: ABSENT },
    ],
    [
      "/home/deploy/.claude is not a directory",
      { code: "TARGET_UNSAFE", why: "Claude's configuration directory must be one" },
      {},
      { dirEntry: { ...PRIVATE_FILE } },
    ],
    [
      "/home/deploy/.claude belongs to another account than deploy",
      { code: "TARGET_UNSAFE", why: "it has owner 7, this login has uid 1001" },
      {},
      { dirEntry: directory({ uid: 7 }) },
    ],
    [
      "/home/deploy/.claude belongs to another account than deploy",
      { code: "TARGET_UNSAFE", why: "it has owner 0, this login has uid 1001" },
      {},
      { dirEntry: directory({ uid: 0 }) },
    ],
    [
      "/home/deploy belongs to another account than deploy",
      { code: "TARGET_UNSAFE", why: "it has owner 7, this login has uid 1001" },
      {},
      { homeEntry: directory({ uid: 7 }) },
    ],
    [
      "/home/deploy can be written by others",
      {
        code: "TARGET_UNSAFE",
        why: "its mode is drwxrwxr-x: whoever may write there can replace the login",
      },
      {},
      { homeEntry: directory({ mode: "drwxrwxr-x" }) },
    ],
    [
      "/home/deploy/.claude can be written by others",
      {
        code: "TARGET_UNSAFE",
        why: "its mode is drwx---rwx: whoever may write there can replace the login",
      },
      {},
      { dirEntry: directory({ mode: "drwx---rwx" }) },
    ],
    [
      `${FILE} is a symbolic link`,
      {
        code: "TARGET_UNSAFE",
        why: "replacing a link would leave the file it points to as it is, or write where nobody expects it",
      },
      {},
      withFile({ kind: "link" }),
    ],
    [
      `${FILE} is a directory`,
      { code: "TARGET_UNSAFE", why: "only a plain file can be replaced and put back" },
      {},
      withFile({ kind: "directory" }),
    ],
    [
      `${FILE} belongs to another account than deploy`,
      { code: "TARGET_UNSAFE", why: "it has owner 0, this login has uid 1001" },
      {},
      withFile({ uid: 0 }),
    ],
    [
      `${FILE} has several names`,
      {
        code: "TARGET_UNSAFE",
        why: "it has 2 hard links: the others would keep the old content",
      },
      {},
      withFile({ links: 2 }),
    ],
    [
      `${FILE} cannot be read`,
      {
        code: "TARGET_UNSAFE",
        why: "its mode is --w-------; without reading it there is no way back",
      },
      {},
      { ...withFile({ mode: "--w-------" }), file: undefined },
    ],
    [
      "the disk of the host is full",
      {
        code: "INSTALL_FAILED",
        why: "255 KiB are free at /home/deploy/.claude; backup, journal and new file need 256",
      },
      {},
      { freeKiB: 255 },
    ],
    [
      "there is no user unit a.service on the host",
      { code: "RESTART_FAILED", why: "systemd does not know it" },
      systemd,
      { unit: "not-found" },
    ],
    [
      "there is no user unit a.service on the host",
      { code: "RESTART_FAILED", why: "systemctl gave no answer" },
      systemd,
      { unit: undefined },
    ],
    [
      "~/wrapper is not a directory on the host",
      { code: "RESTART_FAILED", why: "it is absent" },
      own,
      { directory: "absent" },
    ],
    [
      "/srv/api is not a directory on the host",
      { code: "RESTART_FAILED", why: "it is absent" },
      compose,
      { unit: "not-found", directory: "absent" },
    ],
    [
      "there is no container of the compose service api in /srv/api on the host",
      { code: "RESTART_FAILED", why: UNKNOWN },
      compose,
      { unit: "not-found", directory: "directory" },
    ],
    [
      "there is no container api on the host",
      { code: "RESTART_FAILED", why: UNKNOWN },
      { restart: { kind: "docker", container: "api" } },
      { unit: "not-found" },
    ],
    [
      "there is no pm2 process api on the host",
      { code: "RESTART_FAILED", why: UNKNOWN },
      { restart: { kind: "pm2", name: "api" } },
      { unit: "not-found" },
    ],
    [
      "there is no program api of supervisord on the host",
      { code: "RESTART_FAILED", why: UNKNOWN },
      { restart: { kind: "supervisor", program: "api" } },
      { unit: "not-found" },
    ],
    [
      "there is no user job org.api of launchd on the host",
      { code: "RESTART_FAILED", why: UNKNOWN },
      { restart: { kind: "launchd", label: "org.api", scope: "user" } },
      { unit: "not-found" },
    ],
    [
      "another program holds the wrapper's port",
      {
        code: "RESTART_FAILED",
        why: "process 4711 was started neither in ~/wrapper nor by `restart.command`",
      },
      own,
      { directory: "directory", foreign: true },
    ],
  ])("%s (%j)", (what, { code, why }, host, report) => {
    const hazard = findHazard(hostEntry(host), probeReport(report));
    expect(hazard).toMatchObject({ message: what, code, why });
    expect(hazard?.next.join("")).not.toBe("");
  });

  test("a user's unit is looked for with the user's systemctl", () => {
    const { next } = findHazard(hostEntry(systemd), probeReport())!;
    expect(next).toEqual([
      "On the host: `systemctl --user list-units`, then correct `restart.unit`",
      "Or see what really runs it: `sync-creds doctor HOST`",
    ]);
  });
});
