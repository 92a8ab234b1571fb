import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { SyncCredsError } from "../../src/errors.ts";
import type { Wrapper } from "../../src/hosts/host.ts";
import type { Session } from "../../src/remote/session.ts";
import { Secret } from "../../src/secret.ts";
import { buildChatRequest } from "../../src/smoke/presets.ts";
import type { Asked } from "../../src/smoke/presets.ts";
import { ask, baseline, pollHealth, smokeTest } from "../../src/smoke/smoke.ts";
import type { VerdictClass } from "../../src/smoke/classes.ts";
import { INVALID_KEY, openAdversary } from "../support/adversary.ts";
import type { Adversary, AdversaryOptions, Behaviour } from "../support/adversary.ts";

const NONCE = "sync0123456789ab";
const WRAPPER = fileURLToPath(new URL("../support/wrapper.mjs", import.meta.url));

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Streams straight to loopback, as an sshd on this machine would open them. */
const session = (over: Partial<Session> = {}): Session => ({
  address: "me@loopback:22",
  exec: () => Promise.reject(new Error("not in this test")),
  openStream: async (host, port) => {
    const socket = connect({ host, port });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return socket;
  },
  lost: new Promise<never>(() => undefined),
  close: () => undefined,
  ...over,
});

const wrapperAt = (url: string, over: Partial<Wrapper> = {}): Asked => ({
  url,
  chat: { preset: "chat" },
  timeoutMs: 20_000,
  baselineTimeoutMs: 20_000,
  startTimeoutMs: 20_000,
  ...over,
});

/** Random words are numbered, so that a test can tell one question from the next. */
const ports = () => {
  let questions = 0;
  return {
    now: () => Date.now(),
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
    },
    randomHex: (bytes: number) => String((questions += 1)).padStart(bytes * 2, "0"),
  };
};

const adversary = async (behaviour: Behaviour, options?: AdversaryOptions): Promise<Adversary> => {
  const opened = await openAdversary(behaviour, options);
  cleanups.push(opened.close);
  return opened;
};

const askOnce = async (
  url: string,
  limits: { timeoutMs: number; bearer?: Secret; signal?: AbortSignal } = { timeoutMs: 20_000 },
  through = session(),
) => {
  const wrapper = wrapperAt(url);
  return await ask(through, wrapper, buildChatRequest(wrapper, NONCE), limits);
};

const freePort = async (): Promise<string> => {
  const { url, close } = await openAdversary("hang");
  await close();
  return url;
};

const login = (accessToken: string) => ({
  claudeAiOauth: { accessToken, scopes: ["user:inference"], expiresAt: 1 },
});

/** Starts one on a free port with its own configuration directory. */
async function startWrapper(
  credentials: unknown,
  { env = {}, argv = [] }: { env?: NodeJS.ProcessEnv; argv?: string[] } = {},
) {
  const directory = await mkdtemp(join(tmpdir(), "wrapper-"));
  const file = join(directory, ".credentials.json");
  const save = (value: unknown) =>
    writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
  if (credentials !== undefined) await save(credentials);
  const portFile = join(directory, "port");
  const child = spawn(process.execPath, [WRAPPER, "--port-file", portFile, ...argv], {
    env: { PATH: process.env["PATH"], CLAUDE_CONFIG_DIR: directory, ...env },
    stdio: "ignore",
  });
  cleanups.push(async () => {
    child.kill();
    await rm(directory, { recursive: true, force: true });
  });
  let port = "";
  while (port === "") {
    await delay(20);
    port = await readFile(portFile, "utf8").catch(() => "");
  }
  return { url: `http://127.0.0.1:${port.trim()}`, save };
}

const smoke = async (wrapper: Wrapper, bearer?: Secret) =>
  await smokeTest(session(), wrapper, { ports: ports(), deadlineMs: 20_000, bearer });

describe("every adversary gets its class", () => {
  test.each<[Behaviour, VerdictClass]>([
    ["html", "not-a-wrapper"],
    ["status-500", "wrapper-error"],
    ["status-502", "wrapper-error"],
    ["status-401", "wrapper-auth"],
    ["status-403", "wrapper-auth"],
    ["status-404", "not-a-wrapper"],
    ["status-429", "rate-limited"],
    ["status-529", "overloaded"],
    ["huge-body", "unexpected-reply"],
    ["endless-body", "unexpected-reply"],
    ["gzip-bomb", "unexpected-reply"],
    ["redirect", "not-a-wrapper"],
    ["empty-200", "not-a-wrapper"],
    ["bom-json", "external-key-invalid"],
    ["wrong-json", "not-a-wrapper"],
    ["banner", "not-a-wrapper"],
    ["reset-mid-body", "wrapper-error"],
    ["close-at-once", "wrapper-error"],
    ["endless-headers", "unexpected-reply"],
    ["upgrade", "wrapper-error"],
    ["canned", "unexpected-reply"],
    ["invalid-key", "external-key-invalid"],
    ["mojibake-invalid-key", "external-key-invalid"],
    ["is-error-success", "external-key-invalid"],
  ])("%s: %s", async (behaviour, expected) => {
    const { url } = await adversary(behaviour);
    expect((await askOnce(url)).class).toBe(expected);
  });

  test.each<Behaviour>(["hang", "trickle", "trickling-head"])(
    "%s: timeout, although something may still be coming",
    async (behaviour) => {
      const { url } = await adversary(behaviour);
      expect((await askOnce(url, { timeoutMs: 700 })).class).toBe("timeout");
    },
  );

  test("nobody: not-running", async () => {
    expect((await askOnce(await freePort())).class).toBe("not-running");
  });
});

describe("the session's own troubles are not a verdict", () => {
  const refusal = new SyncCredsError("FORWARDING_REFUSED", "the host's sshd forbids forwarding");

  test("forwarding that is refused is thrown", async () => {
    const through = session({ openStream: () => Promise.reject(refusal) });
    await expect(askOnce("http://127.0.0.1:1", undefined, through)).rejects.toBe(refusal);
    const health = pollHealth(through, wrapperAt("http://127.0.0.1:1"), {
      ports: ports(),
      deadlineMs: 5000,
    });
    await expect(health).rejects.toBe(refusal);
  });

  test("a link that is lost is thrown, even when the stream breaks first", async () => {
    const lost = new SyncCredsError("CONNECTION_LOST", "the connection to the host is lost");
    const broken = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
    const through = session({
      openStream: () => Promise.resolve(broken),
      lost: delay(30).then(() => {
        throw lost;
      }),
    });
    setTimeout(() => broken.destroy(), 10);
    await expect(askOnce("http://127.0.0.1:1", undefined, through)).rejects.toBe(lost);
  });

  test("a stream that never opens ends with the deadline", async () => {
    const through = session({ openStream: () => new Promise(() => undefined) });
    const verdict = await askOnce("http://127.0.0.1:1", { timeoutMs: 50 }, through);
    expect(verdict.class).toBe("timeout");
  });

  test("a stream that opens too late is closed", async () => {
    const late = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
    const closed = new Promise((resolve) => {
      late.once("close", resolve);
    });
    const through = session({ openStream: () => delay(100, late) });
    await askOnce("http://127.0.0.1:1", { timeoutMs: 20 }, through);
    await closed;
    expect(late.destroyed).toBe(true);
  });

  test("an interrupt ends the wait", async () => {
    const { url } = await adversary("hang");
    const interruption = new AbortController();
    const asking = askOnce(url, { timeoutMs: 20_000, signal: interruption.signal });
    setTimeout(() => interruption.abort(), 50);
    await expect(asking).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("the request", () => {
  test("carries the bearer as a header, asks for plain bytes, and names the host", async () => {
    const { url, received } = await adversary("canned");
    await askOnce(url, { timeoutMs: 20_000, bearer: new Secret("bearer-of-the-wrapper") });
    expect(received()).toMatch(/^POST \/chat HTTP\/1\.1\r\n/);
    expect(received()).toContain("\r\nauthorization: Bearer bearer-of-the-wrapper\r\n");
    expect(received()).toContain("\r\naccept-encoding: identity\r\n");
    expect(received()).toContain(`\r\nhost: ${new URL(url).host}\r\n`);
  });

  test("goes to nobody else when the reply redirects", async () => {
    const { url, connections } = await adversary("redirect");
    await askOnce(url, { timeoutMs: 20_000, bearer: new Secret("bearer-of-the-wrapper") });
    expect(connections()).toBe(1);
  });

  test("that no header can carry is a fault of the configuration, told without the secret", async () => {
    const { url } = await adversary("canned");
    const asking = askOnce(url, { timeoutMs: 20_000, bearer: new Secret("two\nlines") });
    const error: unknown = await asking.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(JSON.stringify(error)).not.toContain("lines");
  });

  test("is quoted without its bearer", async () => {
    const { url } = await adversary("quoting-401");
    const bearer = new Secret("bearer-of-the-wrapper");
    const verdict = await askOnce(url, { timeoutMs: 20_000, bearer });
    expect(verdict).toEqual({
      class: "wrapper-auth",
      detail: "HTTP 401: unknown authorization: Bearer [redacted]",
    });
  });
});

describe("the smoke test", () => {
  test("asks again, with a fresh nonce, what may pass by itself", async () => {
    const { url, received } = await adversary("status-529");
    const fast = { ...ports(), sleep: () => Promise.resolve() };
    const means = { ports: fast, deadlineMs: 8000 };
    // The clock jumps a second per look, so the waits need no time.
    let look = 0;
    fast.now = () => (look += 500);
    expect((await smokeTest(session(), wrapperAt(url), means)).class).toBe("overloaded");
    const nonces = [...received().matchAll(/sync\d{12}/g)].map(([nonce]) => nonce);
    expect(nonces.length).toBeGreaterThan(1);
    expect(new Set(nonces).size).toBe(nonces.length);
  });

  test("asks once where time cures nothing", async () => {
    const { url, connections } = await adversary("invalid-key");
    const means = { ports: ports(), deadlineMs: 20_000 };
    const verdict = await smokeTest(session(), wrapperAt(url), means);
    expect(verdict).toEqual({ class: "external-key-invalid", detail: INVALID_KEY });
    expect(connections()).toBe(1);
  });

  test("ends with its deadline although each request may take longer", async () => {
    const { url } = await adversary("trickle");
    const means = { ports: ports(), deadlineMs: 500 };
    expect((await smokeTest(session(), wrapperAt(url), means)).class).toBe("timeout");
  });

  test("can be interrupted between two questions", async () => {
    const { url } = await adversary("status-529");
    const interruption = new AbortController();
    setTimeout(() => interruption.abort(), 300);
    const means = { ports: ports(), deadlineMs: 20_000, signal: interruption.signal };
    await expect(smokeTest(session(), wrapperAt(url), means)).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  });

  test.each(["refuses", "breaks"])(
    "asks again while a wrapper that has just been started still %s connections",
    async (way) => {
      const { url, connections } = await adversary("hang", { answersWell: () => true });
      let left = 3;
      const starting = session({
        openStream: async (...address) => {
          if (left-- <= 0) return session().openStream(...address);
          if (way === "refuses")
            throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
          return new Duplex({
            read: () => {},
            write: (_chunk, _, done) => done(new Error("reset")),
          });
        },
      });
      const fast = { ...ports(), sleep: () => Promise.resolve() };
      const means = { ports: fast, deadlineMs: 20_000, startMs: 20_000 };
      expect((await smokeTest(starting, wrapperAt(url), means)).class).toBe("pass");
      expect(connections()).toBe(1);
    },
  );

  test("does not wait for one that was not started", async () => {
    const means = { ports: ports(), deadlineMs: 20_000, startMs: 0 };
    const verdict = await smokeTest(session(), wrapperAt(await freePort()), means);
    expect(verdict.class).toBe("not-running");
  });

  test("the baseline is one question with a limit of its own", async () => {
    const { url } = await adversary("hang");
    const wrapper = wrapperAt(url, { baselineTimeoutMs: 200 });
    expect((await baseline(session(), wrapper, { ports: ports() })).class).toBe("timeout");
  });
});

describe("health", () => {
  const health = { path: "/health" };

  test("a health path that answers 2xx is enough", async () => {
    const { url, received } = await adversary("html");
    const means = { ports: ports(), deadlineMs: 20_000 };
    const seen = await pollHealth(session(), wrapperAt(url, { health }), means);
    expect(seen).toEqual({ healthy: true, detail: "HTTP 200 from /health" });
    expect(received()).toMatch(/^GET \/health HTTP/);
  });

  test("another status is polled until the deadline", async () => {
    const { url, connections } = await adversary("status-502");
    const means = { ports: ports(), deadlineMs: 500 };
    const seen = await pollHealth(session(), wrapperAt(url, { health }), means);
    expect(seen).toEqual({ healthy: false, detail: "HTTP 502 from /health" });
    expect(connections()).toBeGreaterThan(1);
  });

  test("a swallowed request leaves time for another one", async () => {
    const { url, connections } = await adversary("hang");
    const means = { ports: ports(), deadlineMs: 900 };
    const seen = await pollHealth(session(), wrapperAt(url, { health }), means);
    expect(seen.healthy).toBe(false);
    expect(connections()).toBeGreaterThan(1);
  });

  test("without a health path, accepting connections is enough", async () => {
    const { url } = await adversary("hang");
    const means = { ports: ports(), deadlineMs: 20_000 };
    expect((await pollHealth(session(), wrapperAt(url), means)).healthy).toBe(true);
  });

  test("nothing there is not healthy", async () => {
    const means = { ports: ports(), deadlineMs: 200 };
    const seen = await pollHealth(session(), wrapperAt(await freePort()), means);
    expect(seen).toEqual({ healthy: false, detail: "the connection was refused" });
  });
});

describe("the wrapper of the field", () => {
  test.each<[string, unknown, VerdictClass]>([
    ["a good login", login("sk-ant-oat01-fine"), "pass"],
    ["a revoked token", login("sk-ant-oat01-BAD"), "token-revoked"],
    ["an expired token", login("sk-ant-oat01-EXPIRED"), "token-expired"],
    ["a spent limit", login("sk-ant-oat01-LIMIT"), "usage-limit"],
    ["no file", undefined, "not-logged-in"],
    ["a corrupt file", '{"claudeAiOauth":', "not-logged-in"],
    ["a flat file", login("x").claudeAiOauth, "not-logged-in"],
    ["a login without scopes", { claudeAiOauth: { accessToken: "x" } }, "not-logged-in"],
    ["a blanked login", login(""), "token-expired"],
  ])("%s: %s", async (_, credentials, expected) => {
    const { url } = await startWrapper(credentials);
    expect((await smoke(wrapperAt(url))).class).toBe(expected);
  });

  test("a key in the environment outranks a good login", async () => {
    const env = { ANTHROPIC_API_KEY: "sk-ant-api03-stale" };
    const { url } = await startWrapper(login("sk-ant-oat01-fine"), { env });
    expect((await smoke(wrapperAt(url))).class).toBe("external-key-invalid");
  });

  test("each preset passes", async () => {
    const { url } = await startWrapper(login("sk-ant-oat01-fine"));
    for (const preset of ["chat", "openai", "anthropic"] as const) {
      expect((await smoke(wrapperAt(url, { chat: { preset } }))).class).toBe("pass");
    }
  });

  test("its own bearer is wanted where it has one", async () => {
    const argv = ["--bearer", "open-sesame"];
    const { url } = await startWrapper(login("sk-ant-oat01-fine"), { argv });
    expect((await smoke(wrapperAt(url))).class).toBe("wrapper-auth");
    const openai = wrapperAt(url, { chat: { preset: "openai" } });
    expect((await smoke(openai, new Secret("wrong"))).class).toBe("wrapper-auth");
    expect((await smoke(wrapperAt(url), new Secret("open-sesame"))).class).toBe("pass");
  });

  test("a login that was read at the start stays until the restart", async () => {
    const perRequest = await startWrapper(login("sk-ant-oat01-BAD"));
    const atStart = await startWrapper(login("sk-ant-oat01-BAD"), { argv: ["--read", "start"] });
    await perRequest.save(login("sk-ant-oat01-fine"));
    await atStart.save(login("sk-ant-oat01-fine"));
    expect((await smoke(wrapperAt(perRequest.url))).class).toBe("pass");
    expect((await smoke(wrapperAt(atStart.url))).class).toBe("token-revoked");
  });
});
