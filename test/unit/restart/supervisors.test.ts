import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Host, Restart } from "../../../src/hosts/host.ts";
import { renderRequest } from "../../../src/remote/frames.ts";
import { patienceOf, recipeOf, renderRestart } from "../../../src/restart/supervisors.ts";
import { hostEntry } from "../../support/host-entry.ts";

const COMMAND = "python3 wrapper.py --name 'a b'";
const WATCH = { port: 8000, start: 30, stability: 1000 };

const KINDS: [restart: Restart, recipe: object, line: string][] = [
  [{ kind: "none" }, {}, "no restart: the wrapper reads the file at each request"],
  [
    { kind: "systemd", unit: "wrapper.service", scope: "user" },
    { unit: "wrapper.service", scope: "user" },
    "restart the user unit wrapper.service",
  ],
  [
    { kind: "process", directory: "~/wrapper", command: COMMAND, log: "~/wrapper.log" },
    { directory: "~/wrapper", command: COMMAND, log: "~/wrapper.log" },
    `stop the wrapper's process and run \`${COMMAND}\` in ~/wrapper`,
  ],
  [
    { kind: "docker-compose", directory: "~/api", service: "api" },
    { directory: "~/api", service: "api" },
    "recreate the compose service api in ~/api",
  ],
  [{ kind: "docker", container: "api" }, { name: "api" }, "restart the container api"],
  [{ kind: "pm2", name: "api" }, { name: "api" }, "restart api by pm2"],
  [
    { kind: "supervisor", program: "api", config: "~/s.conf" },
    { name: "api", config: "~/s.conf" },
    "restart the program api of supervisord",
  ],
  [
    { kind: "supervisor", program: "g:api" },
    { name: "g:api" },
    "restart the program g:api of supervisord",
  ],
  [
    { kind: "launchd", label: "org.api", scope: "user", log: "~/api.log" },
    { name: "org.api", scope: "user", log: "~/api.log" },
    "restart the user job org.api of launchd",
  ],
  [
    { kind: "launchd", label: "org.api", scope: "system" },
    { name: "org.api", scope: "system" },
    "restart the system job org.api of launchd",
  ],
  [
    { kind: "command", restart: "pm2 restart api", timeoutMs: 1500 },
    { restart: "pm2 restart api", timeout: 2 },
    "run `pm2 restart api`",
  ],
  [
    { kind: "command", restart: "a", status: "b", log: "c", timeoutMs: 60_000 },
    { restart: "a", status: "b", log: "c", timeout: 60 },
    "run `a`",
  ],
];

describe.each(KINDS)("%j", (restart, recipe, line) => {
  test("has a recipe of its own", () => {
    expect(recipeOf(hostEntry({ restart }))).toEqual({ ...WATCH, kind: restart.kind, ...recipe });
  });

  test("is told in the plan, the user's own command in full", () => {
    expect(renderRestart(restart)).toBe(line);
  });

  test("has a recipe that can be sent", () => {
    const fields = recipeOf(hostEntry({ restart }));
    expect(() => renderRequest({ verb: "begin", fields })).not.toThrow();
  });
});

test.each([
  ["http://127.0.0.1:8123", 8123],
  ["http://127.0.0.1", 80],
  ["https://127.0.0.1", 443],
  ["http://127.0.0.1:80/base", 80],
  ["http://[::1]:9000", 9000],
])("the port of %s is %i", (url, port) => {
  const { wrapper } = hostEntry({});
  expect(recipeOf(hostEntry({ wrapper: { ...wrapper, url } }))).toMatchObject({ port });
});

test("a part of a second counts as a whole one where the host counts in seconds", () => {
  const { wrapper } = hostEntry({});
  const host = hostEntry({ wrapper: { ...wrapper, startTimeoutMs: 1 }, stabilityMs: 1 });
  expect(recipeOf(host)).toMatchObject({ start: 1, stability: 1 });
});

test("we wait longer than every wait that the recipe allows the host", () => {
  const waits = fc.record({
    startTimeoutMs: fc.nat(600_000),
    stabilityMs: fc.nat(600_000),
    timeoutMs: fc.nat(600_000),
  });
  fc.assert(
    fc.property(waits, ({ startTimeoutMs, stabilityMs, timeoutMs }) => {
      const host: Host = hostEntry({
        wrapper: { ...hostEntry({}).wrapper, startTimeoutMs },
        restart: { kind: "command", restart: "x", timeoutMs },
        stabilityMs,
      });
      const { start, timeout } = recipeOf(host);
      expect(patienceOf(host)).toBeGreaterThan(
        Number(start) * 1000 + Number(timeout) * 1000 + stabilityMs,
      );
    }),
  );
});
