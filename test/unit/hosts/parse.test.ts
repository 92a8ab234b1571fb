import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ENOUGH, failureOf, parse, parseHost, problemsOf } from "./a-hosts-file.ts";

test("a host that says just enough gets every default", () => {
  expect(parse({ hosts: { "web-1": ENOUGH } })).toEqual({
    path: "/etc/sync/hosts.json",
    groups: [],
    hosts: [
      {
        name: "web-1",
        ssh: { host: "web-1.example.com", user: "ann" },
        tags: [],
        groups: [],
        delivery: "access-token",
        means: "file",
        switches: {},
        transport: "auto",
        wrapper: {
          url: "http://127.0.0.1:8000",
          chat: { preset: "chat" },
          timeoutMs: 60_000,
          baselineTimeoutMs: 10_000,
          startTimeoutMs: 30_000,
        },
        restart: { kind: "none" },
        deadlineMs: 180_000,
        stabilityMs: 1_000,
        confirmTimeoutMs: 60_000,
      },
    ],
  });
});

test("what a host says wins over the defaults; the wrapper is merged key by key", () => {
  const { hosts } = parse({
    sshConfig: "ssh_config",
    defaults: {
      delivery: "full-login",
      tags: ["eu"],
      stabilityMs: 0,
      wrapper: { url: "http://127.0.0.1:8000", bearer: { env: "A" }, timeoutMs: 5 },
      restart: { kind: "systemd", unit: "a.service" },
    },
    hosts: {
      one: { ssh: "one", wrapper: { bearer: { token: "b" } } },
      two: { ssh: "two", tags: ["us"], delivery: "access-token", restart: { kind: "none" } },
    },
  });
  expect(hosts).toMatchObject([
    {
      sshConfig: "/etc/sync/ssh_config",
      delivery: "full-login",
      tags: ["eu"],
      stabilityMs: 0,
      wrapper: { url: "http://127.0.0.1:8000", bearer: { token: "b" }, timeoutMs: 5 },
      restart: { kind: "systemd", unit: "a.service", scope: "system" },
    },
    { tags: ["us"], delivery: "access-token", restart: { kind: "none" } },
  ]);
  expect(hosts[0]!.wrapper.bearer).toEqual({ token: "b" });
});

test("local paths become absolute, remote ones stay", () => {
  const host = parseHost({ identityFile: "key", knownHosts: "known", configDir: "~/.claude" });
  expect(host).toMatchObject({
    identityFile: "/etc/sync/key",
    knownHosts: "/etc/sync/known",
    configDir: "~/.claude",
  });
});

test("a wrapper that we start logs into its own folder unless told otherwise", () => {
  const own = { kind: "process", directory: "~/wrapper/", command: "./run" };
  expect(parseHost({ restart: own }).restart).toEqual({ ...own, log: "~/wrapper/wrapper.log" });
  expect(parseHost({ restart: { ...own, log: "/tmp/a" } }).restart).toEqual({
    ...own,
    log: "/tmp/a",
  });
});

test("a host knows its groups; a host may be called like a property of every object", () => {
  const { hosts, groups } = parse({
    groups: { prod: { hosts: ["constructor", "b"], confirm: true }, odd: { hosts: ["b"] } },
    hosts: { constructor: ENOUGH, b: ENOUGH },
  });
  expect(hosts.map(({ name, groups: own }) => [name, own])).toEqual([
    ["constructor", ["prod"]],
    ["b", ["prod", "odd"]],
  ]);
  expect(groups).toEqual([
    { name: "prod", hosts: ["constructor", "b"], confirm: true, order: {} },
    { name: "odd", hosts: ["b"], confirm: false, order: {} },
  ]);
});

test("comments, trailing commas and every kind of line end are fine", () => {
  const text = '{\r\n// one\n"hosts": { /* two */ "a": ' + JSON.stringify(ENOUGH) + ", },\r\n}";
  expect(parse(text).hosts).toHaveLength(1);
});

test("the example is a valid hosts file and shows every kind of restart", () => {
  const { hosts, groups } = parse(readFileSync("hosts.example.json", "utf8"));
  expect(hosts.map(({ restart }) => restart.kind)).toEqual([
    "systemd",
    "process",
    "command",
    "none",
    "docker-compose",
    "docker",
    "pm2",
    "supervisor",
    "launchd",
  ]);
  expect(hosts.every(({ ssh }) => ssh.host.endsWith(".example.com"))).toBe(true);
  expect(groups.map(({ name }) => name)).toEqual(["prod", "staging"]);
});

test("every problem is reported at once, with place, path, fault and a guess", () => {
  const text = `{
  "hosts": {
    "web-1": {
      "ssh": "-oProxyCommand=x",
      "wrapper": { "urll": "http://127.0.0.1:8000", "timeoutMs": 1.5 },
      "restart": { "kind": "systemd",
        "untit": "x" }
    },
    "web 2": {}
  },
  "group": {}
}`;
  expect(failureOf(() => parse(text))).toMatchObject({
    code: "CONFIG_INVALID",
    message: "hosts.json has 7 problems",
    next: ["Edit `hosts.json`; `sync-creds schema` prints what it may hold"],
  });
  expect(problemsOf(text)).toEqual([
    "hosts.json:4:7 hosts.web-1.ssh must be an alias, `user@host`, `user@host:port`, `user@[v6]:port` or `ssh://user@host:port`, without characters that OpenSSH refuses",
    "hosts.json:5:53 hosts.web-1.wrapper.timeoutMs must be a whole number",
    "hosts.json:5:20 hosts.web-1.wrapper.urll is not a known key (did you mean `url`?)",
    "hosts.json:6:7 hosts.web-1.restart.unit is required",
    "hosts.json:7:9 hosts.web-1.restart.untit is not a known key (did you mean `unit`?)",
    'hosts.json:9:5 hosts["web 2"] is not a usable key: it must start with a letter or digit and hold only letters, digits, `.`, `_` and `-`',
    "hosts.json:11:3 group is not a known key (did you mean `groups`?)",
  ]);
});

test.each([
  [{ delivery: "setup-token" }, "token is required with delivery `setup-token`"],
  [{ delivery: "api-key" }, "apiKey is required"],
  [{ backup: "api-key" }, "apiKey is required"],
  [{ place: "env" }, "place cannot be `env` with delivery `access-token`"],
  [
    { delivery: "setup-token", token: { token: "a" }, place: "helper" },
    "place cannot be `helper` with delivery `setup-token`",
  ],
  [
    { delivery: "api-key", place: "helper", apiKey: { token: "a" }, backup: "api-key" },
    "backup is of no use with delivery `api-key`",
  ],
  [
    { delivery: "api-key", apiKey: { token: "a" } },
    "envFile is required for a variable with restart kind `none`",
  ],
  [
    { delivery: "acces-token" },
    "delivery must be one of `access-token`, `setup-token`, `api-key`, `full-login`, `own-login` (did you mean `access-token`?)",
  ],
  [{ restart: { kind: "docker" } }, "restart.container is required"],
  [
    { restart: { kind: "sytemd" } },
    "restart.kind must be one of `systemd`, `process`, `docker-compose`, `docker`, `pm2`, `supervisor`, `launchd`, `command`, `none` (did you mean `systemd`?)",
  ],
  [
    { restart: {} },
    "restart.kind is required: one of `systemd`, `process`, `docker-compose`, `docker`, `pm2`, `supervisor`, `launchd`, `command`, `none`",
  ],
  [{ restart: "none" }, "restart must be an object"],
  [{ canary: "web-2" }, "canary is not"],
  [{ wrapper: { token: "x" } }, "wrapper.token is not a known key"],
  [{ agentForward: true }, "agentForward is not a known key"],
  [{ tags: "eu" }, "tags must be a list"],
  [{ tags: ["eu", 1] }, "tags[1] must be a string"],
  [{ deadlineMs: 0 }, "deadlineMs must be at least 1"],
  [{ deadlineMs: 3_600_001 }, "deadlineMs must be at most 3600000"],
  [{ deadlineMs: "180000" }, "deadlineMs must be a whole number"],
  [{ stabilityMs: -1 }, "stabilityMs must be at least 0"],
  [{ confirmTimeoutMs: 4_999 }, "confirmTimeoutMs must be at least 5000"],
  [{ hostKey: "SHA256:abc" }, "hostKey must be `SHA256:` and 43 characters"],
  [{ runAs: null }, "runAs must be a string"],
  [{ wrapper: { bearer: "hunter2" } }, "wrapper.bearer must be an object"],
  [{ wrapper: { bearer: {} } }, "wrapper.bearer must say exactly one of"],
  [{ wrapper: { bearer: { env: "A", token: "b" } } }, "wrapper.bearer must say exactly one of"],
  [
    { wrapper: { bearer: { enw: "A" } } },
    "wrapper.bearer.enw is not a known key (did you mean `env`?)",
  ],
  [
    { wrapper: undefined },
    "wrapper.url is required, here or in `defaults`: a push counts only once",
  ],
  [
    { restart: undefined },
    "restart is required, here or in `defaults`: of the kind that runs the wrapper",
  ],
])("%j is refused: %s", (settings, expected) => {
  const lines = problemsOf({ hosts: { "web-1": { ...ENOUGH, ...settings } } });
  expect(lines.join("\n")).toContain(`hosts.web-1.${expected}`);
});

test.each([
  ["{}", "hosts.json:1:1 hosts is required"],
  ["", "hosts.json:1:1 the file is not valid JSON here: value expected"],
  ["[]", "hosts.json:1:1 the file must be an object"],
  ['{\n "hosts": }', "hosts.json:2:11 the file is not valid JSON here: value expected"],
  ['{"hosts": {}}', "hosts.json:1:2 hosts must name at least one host"],
  ['{"hosts": {"a": 1, "a": 2}}', "hosts.json:1:20 hosts.a stands here twice"],
  ['{"hosts": {"__proto__": {}}}', "hosts.json:1:12 hosts.__proto__ is not allowed as a key"],
  ['{"hosts": {"__pr\\u006fto__": {}}}', "hosts.json:1:12 hosts.__proto__ is not allowed as a key"],
  ["[".repeat(1_000_000), "hosts.json:1:1 the file is nested too deeply"],
  ["[".repeat(40) + "]".repeat(40), "hosts.json:1:34 the file is nested too deeply"],
])("the text %.40s is refused", (text, line) => {
  expect(problemsOf(text)).toContain(line);
});

test.each([
  [
    { prod: { hosts: ["web-2"] } },
    "groups.prod.hosts[0] is not a host of this file (did you mean `web-1`?)",
  ],
  [{ "web-1": { hosts: ["web-1"] } }, "groups.web-1 has the name of a host"],
  [{ all: { hosts: ["web-1"] } }, "groups.all is reserved"],
  [{ prod: { hosts: [] } }, "groups.prod.hosts must not be empty"],
  [{ prod: { hosts: ["web-1"], canary: "web-2" } }, "groups.prod.canary is not among the hosts"],
  [{ prod: { hosts: ["web-1"], waves: [] } }, "groups.prod.waves must not be empty"],
  [{ prod: { hosts: ["web-1"], waves: ["a"] } }, "groups.prod.waves[0]"],
  [{ prod: { hosts: ["web-1"], maxFailures: -1 } }, "groups.prod.maxFailures"],
  [{ prod: ["web-1"] }, "groups.prod must be an object"],
])("the groups %j are refused", (groups, line) => {
  expect(problemsOf({ groups, hosts: { "web-1": ENOUGH } }).join()).toContain(line);
});

test("a host may not be called all", () => {
  expect(problemsOf({ hosts: { all: ENOUGH } }).join()).toContain("hosts.all is reserved");
});

test.each([
  ["in a value", '{"hosts": {"a": {"ssh": "sk-ant-oat01-CANARY"}}}'],
  ["as a bearer", '{"hosts": {"a": {"wrapper": {"bearer": "sk-ant-api03-CANARY"}}}}'],
  ["in a header", '{"headers": {"x-api-key": "Bearer sk-ant-api03-CANARY"}}'],
  ["as a key", '{"sk-ant-oat01-CANARY": 1}'],
  ["in a comment", '{} // "sk-ant-ort01-CANARY"'],
  ["behind an escape", '{"a": "sk-\\u0061nt-oat01-CANARY"}'],
  ["in broken JSON", '{"a": sk-ant-oat01-CANARY'],
])("a secret %s is refused and not repeated", (_, text) => {
  const failure = failureOf(() => parse(text));
  expect(failure.why).toContain("holds what looks like an Anthropic secret");
  expect(JSON.stringify(failure) + failure.message + failure.why).not.toContain("CANARY");
});

test("a comment may speak of sk-ant-… without being one", () => {
  expect(
    parse(`// never an sk-ant-… here\n${JSON.stringify({ hosts: { a: ENOUGH } })}`),
  ).toBeDefined();
});

test("a file of a thousand mistakes is not a thousand lines", () => {
  const hosts = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`h${n}`, {}]));
  const lines = problemsOf({ hosts });
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe("and 980 more");
});

test("an absurd key is quoted and shortened", () => {
  const [line] = problemsOf({ hosts: { a: ENOUGH }, ["\n".repeat(9_999)]: 1 });
  expect(line!.length).toBeLessThan(200);
});
