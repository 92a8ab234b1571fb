import { describe, expect, test } from "vitest";
import type { Host, Switch } from "../../../src/hosts/host.ts";
import { parseHosts } from "../../../src/hosts/parse.ts";
import { switchedHost, verifySwitch } from "../../../src/hosts/switched.ts";
import { hostEntry } from "../../support/host-entry.ts";

const edit = { file: "/srv/config.py", find: "a", put: "b" };
const restart = { kind: "docker", container: "app" } as const;

/** The switch of a hosts.json as the loader gives it. */
function load(more: object): Switch | undefined {
  const text = JSON.stringify({
    hosts: {
      "web-1": {
        ssh: "web-1",
        restart: { kind: "none" },
        wrapper: { url: "http://127.0.0.1:8000", bearer: { env: "TOKEN" }, timeoutMs: 7000 },
        switches: { fallback: { ...edit, ...more } },
      },
    },
  });
  return parseHosts(text, { path: "/h", shownAs: "h", toAbsolute: (path) => path }).hosts[0]
    ?.switches["fallback"];
}

describe("who is asked after a switch", () => {
  test("is the host's own wrapper unless told", () => {
    expect(load({})).toEqual(edit);
  });

  test("at the wrapper's own address inherits all that it does not say", () => {
    for (const url of [{}, { url: "http://127.0.0.1:8000" }]) {
      expect(load({ wrapper: { ...url, baselineTimeoutMs: 5 } })?.wrapper).toMatchObject({
        url: "http://127.0.0.1:8000",
        chat: { preset: "chat" },
        bearer: { env: "TOKEN" },
        timeoutMs: 7000,
        baselineTimeoutMs: 5,
      });
    }
  });

  test("at another address gets neither the wrapper's bearer nor its way to ask", () => {
    const wrapper = load({ wrapper: { url: "http://127.0.0.1:9000" } })?.wrapper;
    expect(wrapper).toEqual({
      url: "http://127.0.0.1:9000",
      timeoutMs: 60_000,
      baselineTimeoutMs: 10_000,
      startTimeoutMs: 30_000,
    });
  });
});

test("a switched host restarts and asks what the switch says, else its own", () => {
  const wrapper = { ...hostEntry({}).wrapper, url: "http://127.0.0.1:9000" };
  const host = hostEntry({ switches: { whole: { ...edit, restart, wrapper }, plain: edit } });
  expect(switchedHost(host, "whole")).toMatchObject({ restart, wrapper });
  expect(switchedHost(host, "plain")).toEqual(host);
});

describe("a switch that a host does not have", () => {
  const withIt = hostEntry({ switches: { fallback: edit } });
  const without = hostEntry({ name: "web-2" });
  test.each<[string, Host[], string, object]>([
    [
      "mistyped",
      [withIt],
      "fallbak",
      { message: "web-1 has no switch called fallbak", why: "hosts.json names fallback" },
    ],
    [
      "on one of two",
      [withIt, without],
      "fallback",
      { next: ["Leave these out: `--exclude web-2`"] },
    ],
    ["anywhere", [without], "fallback", { why: "hosts.json names none for it in `switches`" }],
    ["named like what every object has", [withIt], "toString", { code: "TARGET_UNKNOWN" }],
  ])("%s", (_, hosts, name, error) => {
    expect(() => verifySwitch(hosts, name)).toThrow(expect.objectContaining(error));
  });

  test("every host has it: nothing to say", () => {
    expect(() => verifySwitch([withIt], "fallback")).not.toThrow();
  });
});
