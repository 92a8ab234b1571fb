import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseHost, problemsOf, ENOUGH } from "./a-hosts-file.ts";

/** Every place where hosts.json holds text, as a host that says the text there. */
const FIELDS: Readonly<Record<string, (text: string) => object>> = {
  ssh: (ssh) => ({ ssh }),
  "wrapper.url": (url) => ({ wrapper: { url } }),
  "wrapper.health.path": (path) => wrapper({ health: { path } }),
  "wrapper.chat.path": (path) => wrapper({ chat: { preset: "chat", path } }),
  "wrapper.chat.model": (model) => wrapper({ chat: { preset: "openai", model } }),
  "wrapper.chat.preset": (preset) => wrapper({ chat: { preset } }),
  "wrapper.chat.method": (method) => wrapper({ chat: { ...CUSTOM, method } }),
  "wrapper.chat.replyPath": (replyPath) => wrapper({ chat: { ...CUSTOM, replyPath } }),
  "wrapper.chat.headers": (value) => wrapper({ chat: { ...CUSTOM, headers: { "x-a": value } } }),
  "wrapper.bearer.env": (env) => wrapper({ bearer: { env } }),
  "wrapper.bearer.file": (file) => wrapper({ bearer: { file } }),
  "wrapper.bearer.command": (command) => wrapper({ bearer: { command } }),
  "wrapper.bearer.token": (token) => wrapper({ bearer: { token } }),
  "restart.kind": (kind) => ({ restart: { kind } }),
  "restart.unit": (unit) => ({ restart: { kind: "systemd", unit } }),
  "restart.scope": (scope) => ({ restart: { kind: "systemd", unit: "a.service", scope } }),
  "restart.directory": (directory) => ({ restart: { ...PROCESS, directory } }),
  "restart.command": (command) => ({ restart: { ...PROCESS, command } }),
  "restart.log": (log) => ({ restart: { ...PROCESS, log } }),
  "restart.restart": (restart) => ({ restart: { kind: "command", restart } }),
  "restart.status": (status) => ({ restart: { kind: "command", restart: "true", status } }),
  delivery: (delivery) => ({ delivery }),
  identityFile: (identityFile) => ({ identityFile }),
  knownHosts: (knownHosts) => ({ knownHosts }),
  hostKey: (hostKey) => ({ hostKey }),
  runAs: (runAs) => ({ runAs }),
  configDir: (configDir) => ({ configDir }),
  tags: (tag) => ({ tags: [tag] }),
};

const CUSTOM = { preset: "custom", path: "/", body: "{{prompt}}", replyPath: "a" };
const PROCESS = { kind: "process", directory: "~/wrapper", command: "./run" };

/** The user's own text: what a shell, a header or a local file name may hold, these may hold. */
const FREE = new Set([
  "wrapper.bearer.command",
  "restart.command",
  "restart.restart",
  "restart.status",
  "wrapper.chat.headers",
  "wrapper.chat.model",
  "identityFile",
  "knownHosts",
  "wrapper.bearer.file",
]);

/** Texts of the corpus that mean nothing bad where they stand. */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  ssh: ["__proto__", "😀"],
  runAs: ["__proto__"],
  "restart.unit": ["__proto__"],
  "wrapper.bearer.env": ["__proto__"],
  "wrapper.health.path": ["/srv/../etc"],
  "wrapper.chat.path": ["/srv/../etc"],
  "wrapper.chat.replyPath": ["--help", "__proto__"],
};

describe.each(Object.keys(FIELDS))("%s", (field) => {
  test.each([
    ["a line break", "a\nb"],
    ["a carriage return", "a\rb"],
    ["NUL", "a\0b"],
    ["an escape sequence", "\u001b[31ma"],
    ["DEL", "a\u007fb"],
    ["a line break at the end", "web.service\n"],
    ["a text that reorders the line", "a\u202eb"],
    ["64 KiB", "a".repeat(65_536)],
  ])("refuses %s", (_, text) => {
    expect(isAccepted(field, text)).toBe(false);
  });

  test("refuses an empty text, but for the value of a header", () => {
    expect(isAccepted(field, "")).toBe(field === "wrapper.chat.headers");
  });

  test("never quotes a value that it refuses", () => {
    const lines = problemsOf(withHost(FIELDS[field]!("hunter2 \n hunter2 $(x)")));
    expect(lines.join()).not.toContain("hunter2");
  });
});

describe.each(Object.keys(FIELDS).filter((field) => !FREE.has(field)))("%s", (field) => {
  test.each([
    "-oProxyCommand=id",
    "--help",
    "$(id)",
    "`id`",
    "; id",
    "a b; id",
    "' ; id '",
    '"',
    "a|b",
    "a && b",
    "../../etc/passwd",
    "/srv/../etc",
    "~root/x",
    "*",
    "😀",
    "__proto__",
  ])("refuses %j unless it is harmless there", (text) => {
    expect(isAccepted(field, text)).toBe(HARMLESS[field]?.includes(text) ?? false);
  });
});

test.each(["ssh", "runAs", "configDir", "restart.directory", "restart.log", "restart.unit"])(
  "%s never accepts a control character or a leading dash",
  (field) => {
    const hostile = fc
      .tuple(
        fc.constantFrom("", "/", "~/", "/srv/a", "web", "ann@web"),
        fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\n", "\0", "\u001b", "/../", "-")),
        fc.string(),
      )
      .map((parts) => parts.join(""))
      .filter((text) => /^-|\p{Cc}/u.test(text));
    const property = fc.property(hostile, (text) => !isAccepted(field, text));
    expect(() => fc.assert(property)).not.toThrow();
  },
);

test.each(["identityFile", "knownHosts"])("%s does not start with a dash", (field) => {
  expect(isAccepted(field, "-F")).toBe(false);
});

test("shell text, paths and units of the ordinary kind are carried as they are", () => {
  const command = `cd "/srv/my app" && A='b c' ./run --x=$HOME | tee log; echo "é 😀"\t# done`;
  expect(parseHost({ restart: { kind: "command", restart: command } }).restart).toMatchObject({
    restart: command,
  });
  expect(parseHost({ configDir: "/srv/my app/.claude" }).configDir).toBe("/srv/my app/.claude");
  expect(parseHost({ configDir: "/srv/..x/y.." }).configDir).toBe("/srv/..x/y..");
  expect(
    parseHost({ restart: { kind: "systemd", unit: String.raw`a\x2d@1.service` } }).restart,
  ).toMatchObject({ unit: String.raw`a\x2d@1.service` });
});

test.each([
  "https://127.0.0.1:8000",
  "ftp://127.0.0.1",
  "http://ann:pw@127.0.0.1:8000",
  "http://@127.0.0.1",
  "http://127.0.0.1:8000/?a=b",
  "http://127.0.0.1:8000/?",
  "http://127.0.0.1:8000#a",
  "http://127.0.0.1:0",
  "http://127.0.0.1:99999",
  "http://-x:80",
  "http:127.0.0.1",
  "http:\\\\127.0.0.1",
  " http://127.0.0.1",
  "http://127.0.0.1\t:80",
  "127.0.0.1:8000",
  "http://",
])("the wrapper's url is not %j", (url) => {
  expect(isAccepted("wrapper.url", url)).toBe(false);
});

test.each([
  "http://127.0.0.1:8000",
  "http://localhost/",
  "http://[::1]:80",
  "http://api.lan:3000/base",
])("the wrapper's url may be %j", (url) => {
  expect(isAccepted("wrapper.url", url)).toBe(true);
});

test.each(["Authorization", "cookie", "X-Api-Key", "content-length", "Transfer-Encoding"])(
  "a custom request has no header %s of its own",
  (header) => {
    const chat = { ...CUSTOM, headers: { [header]: "hunter2" } };
    expect(problemsOf(withHost(wrapper({ chat }))).join()).toContain(
      "wrapper.chat.headers must not",
    );
  },
);

test("a custom request without {{prompt}} is refused", () => {
  const chat = { ...CUSTOM, body: { question: "prompt" } };
  expect(problemsOf(withHost(wrapper({ chat }))).join()).toContain("must hold `{{prompt}}`");
});

function wrapper(settings: object): object {
  return { wrapper: { url: "http://127.0.0.1:8000", ...settings } };
}

function withHost(settings: object): object {
  return { hosts: { "web-1": { ...ENOUGH, ...settings } } };
}

function isAccepted(field: string, text: string): boolean {
  try {
    parseHost(FIELDS[field]!(text));
    return true;
  } catch {
    return false;
  }
}
