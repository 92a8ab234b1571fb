import { describe, expect, test } from "vitest";
import type { InspectReport } from "../../../src/remote/inspect-report.ts";
import { agrees, findSupervisor } from "../../../src/restart/found-supervisor.ts";
import type { FoundSupervisor } from "../../../src/restart/found-supervisor.ts";
import type { Restart } from "../../../src/hosts/host.ts";
import { inspection } from "../doctor/an-inspection.ts";

const SYSTEMD = { pid: 1, name: "systemd" };
const WRAPPER = { pid: 4711, name: "python3" };
const SLICE = "/system.slice";
const MINE = "/user.slice/user-1000.slice/user@1000.service/app.slice";
const COMPOSE = { pid: 4711, name: "srv-api-1", service: "api", directory: "/srv/wrapper" };
const PLAIN = { pid: 4711, name: "api", service: undefined, directory: undefined };

const process = { kind: "process", directory: "/srv/wrapper", command: "python3 wrapper.py" };
const unit = { kind: "systemd", unit: "wrapper.service", scope: "system" };

describe("who runs the wrapper", () => {
  test.each<[string, Partial<InspectReport>, object | undefined]>([
    ["a unit of the system", { cgroups: [`${SLICE}/wrapper.service`] }, unit],
    [
      "a unit below a slice of its own",
      { cgroups: ["/system.slice/system-w.slice/w@1.service"] },
      { ...unit, unit: "w@1.service" },
    ],
    ["a group below the unit", { cgroups: [`${SLICE}/wrapper.service/worker`] }, unit],
    ["a unit of a user", { cgroups: [`${MINE}/wrapper.service`] }, { ...unit, scope: "user" }],
    ["a mixed hierarchy", { cgroups: ["/", `${SLICE}/wrapper.service`] }, unit],
    [
      "by hand, in a session",
      { cgroups: ["/user.slice/user-1000.slice/session-4.scope"] },
      process,
    ],
    ["by hand, in the service of sshd", { cgroups: [`${SLICE}/ssh.service`] }, process],
    [
      "by hand, in one of sshd for each connection",
      { cgroups: [`${SLICE}/system-sshd.slice/sshd@4.service`] },
      process,
    ],
    ["by cron", { cgroups: [`${SLICE}/cron.service`] }, process],
    ["in a terminal of a desktop", { cgroups: [`${MINE}/app-gnome-terminal-4.scope`] }, process],
    ["no systemd at all", { cgroups: ["/"] }, process],
    [
      "pm2, which is a unit itself",
      { cgroups: [`${SLICE}/pm2-ana.service`], pm2: { home: "/home/ana/.pm2", name: "api" } },
      { kind: "pm2", name: "api" },
    ],
    ["pm2 without a name", { pm2: { home: "/home/ana/.pm2", name: undefined } }, { kind: "pm2" }],
    [
      "supervisord, which is a unit itself",
      {
        cgroups: [`${SLICE}/supervisor.service`],
        supervisord: { config: undefined, program: "api" },
      },
      { kind: "supervisor", program: "api" },
    ],
    [
      "supervisord as the first process, which inherits orphans",
      {
        chain: [WRAPPER, { pid: 1, name: "supervisord" }],
        supervisord: { config: "/c", program: undefined },
      },
      undefined,
    ],
    [
      "launchd",
      { job: { scope: "user", label: "com.example.api" } },
      { kind: "launchd", scope: "user", label: "com.example.api" },
    ],
    [
      "compose",
      { containers: [COMPOSE] },
      { kind: "docker-compose", directory: "/srv/wrapper", service: "api" },
    ],
    ["docker without compose", { containers: [PLAIN] }, { kind: "docker", container: "api" }],
    [
      "docker's proxy holds the port",
      {
        chain: [{ pid: 90, name: "docker-proxy" }, SYSTEMD],
        containers: [COMPOSE],
        cgroups: [`${SLICE}/docker.service`],
      },
      { kind: "docker-compose", directory: "/srv/wrapper", service: "api" },
    ],
    [
      "nobody that can be seen holds the port of a container",
      { chain: [], isByPort: false, containers: [PLAIN] },
      { kind: "docker", container: "api" },
    ],
    [
      "a container that nobody shows",
      { isContained: true, cgroups: ["/machine.slice/libpod-1.scope"] },
      undefined,
    ],
    [
      "a container of somebody else, whose port is another",
      { containers: [{ ...PLAIN, pid: 99 }] },
      process,
    ],
  ])("%s", (_, different, restart) => {
    const found = findSupervisor(inspection({ chain: [WRAPPER, SYSTEMD], ...different }));
    expect(found?.restart).toEqual(restart);
    expect(found?.what).toMatch(/\w/);
  });

  test("nothing is known of what cannot be seen", () => {
    expect(findSupervisor(inspection({ chain: [] }))).toBeUndefined();
  });

  test("the way up is the evidence, and a long one is cut", () => {
    const chain = [9, 8, 7, 6, 5, 4, 1].map((pid) => ({ pid, name: `p${pid}` }));
    const found = findSupervisor(inspection({ chain, cgroups: [`${SLICE}/w.service`] }));
    expect(found?.evidence).toBe("9 p9 < 8 p8 < 7 p7 < 6 p6 < 5 p5 < …; /system.slice/w.service");
  });
});

describe("against hosts.json", () => {
  const found = (restart: FoundSupervisor["restart"]): FoundSupervisor => ({
    what: "",
    evidence: "",
    restart,
  });
  const compose = { kind: "docker-compose", directory: "/home/ana/srv", service: "api" } as const;

  test.each<[FoundSupervisor["restart"], Restart, boolean]>([
    [unit as Restart, { kind: "systemd", unit: "wrapper.service", scope: "system" }, true],
    [unit as Restart, { kind: "systemd", unit: "other.service", scope: "system" }, false],
    [unit as Restart, { kind: "systemd", unit: "wrapper.service", scope: "user" }, false],
    [unit as Restart, { kind: "pm2", name: "api" }, false],
    [{ kind: "pm2", name: "api" }, { kind: "pm2", name: "api" }, true],
    [{ kind: "pm2" }, { kind: "pm2", name: "api" }, true],
    [compose, { ...compose, directory: "~/srv/" }, true],
    [compose, { ...compose, service: "web" }, false],
    [compose, { kind: "docker", container: "srv-api-1" }, false],
    [
      { kind: "supervisor", program: "api", config: "/etc/s.conf" },
      { kind: "supervisor", program: "api" },
      true,
    ],
    // Somebody who restarts it by a command of their own, or not at all, need not know.
    [unit as Restart, { kind: "none" }, true],
    [unit as Restart, { kind: "command", restart: "make up", timeoutMs: 1 }, true],
    [undefined, { kind: "docker", container: "api" }, true],
  ])("%j is %j: %s", (restart, said, expected) => {
    expect(agrees(found(restart), said, "/home/ana")).toBe(expected);
  });
});
