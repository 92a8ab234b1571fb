import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { installDocker } from "../support/docker.ts";
import { entryOf, treeOf } from "../support/host-state.ts";
import { canChooseShell, hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, renderLogin, tokens } from "../support/stage.ts";
import type { Ended, Stage } from "../support/stage.ts";
import { hasStrace, straceFilesInto, writesIn } from "../support/strace.ts";
import { installSystemd } from "../support/systemd.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";
import { until } from "../support/until.ts";

const EXTERNAL_KEY = "Invalid API key · Fix external API key";
/** A wrapper that starts a `claude` which follows the real precedence. */
const REAL = { wrapperArguments: ["--claude", "claude.mjs"] } as const;

interface Check {
  readonly topic: string;
  readonly mark: "ok" | "note" | "warn" | "bad";
  readonly what: string;
  readonly evidence: readonly string[];
  readonly cure: readonly string[];
  readonly code?: string;
  readonly exit: number;
}
interface Diagnosis {
  readonly exitCode: number;
  readonly laptop: { readonly checks: readonly Check[] };
  readonly first: readonly { readonly place: string; readonly todo: string }[];
  readonly hosts: readonly { readonly host: string; readonly checks: readonly Check[] }[];
}

function diagnosisOf({ stdout }: Ended): Diagnosis {
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Diagnosis;
}

/** What is not well on the host: `methods bad 14`. */
function troubles({ hosts: [host] }: Diagnosis): string[] {
  const found = (host?.checks ?? []).filter(({ mark }) => mark === "warn" || mark === "bad");
  return found.map(({ topic, mark, exit }) => `${topic} ${mark} ${exit}`);
}

/** Starts the wrapper with more in its environment. */
async function startWith(stage: Stage, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const { sshd, directory, command } = stage;
  spawn("/bin/sh", ["-c", `${command} >>wrapper.log 2>&1`], {
    cwd: directory,
    detached: true,
    env: { HOME: sshd.home, PATH: process.env["PATH"], ...env },
    stdio: "ignore",
  }).unref();
  await until("the wrapper answers", async () => (await stage.chat("up?")) !== undefined);
}

function writeSettings(folder: string, settings: object): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "settings.json");
  writeFileSync(path, JSON.stringify(settings, null, 2));
  return path;
}

function expectNoToken({ stdout, stderr }: Ended): void {
  expect(stdout + stderr).not.toMatch(/CANARY|sk-ant-/);
}

describe.skipIf(!hasSshd)("doctor in a pipe, without a target", () => {
  test("looks at this laptop alone, and finds nothing", async () => {
    await using stage = await openStage();
    const ended = await stage.run("doctor");
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^this laptop: ok saved: [0-9a-f]{8} in ~\/\.claude/);
    expect(ended.stderr).toContain("Anthropic's terms");
    expect(stage.sshd.log()).not.toContain("Connection from");
    expectNoToken(ended);
  });

  test.each([
    ["expired", { expiresAt: Date.now() - 60_000 }, 4, "`sync-creds refresh`"],
    ["not saved", { accessToken: "", expiresAt: 0 }, 4, "`/login`"],
    ["malformed", { scopes: "all" }, 4, "`/login`"],
    ["about to end", { refreshTokenExpiresAt: Date.now() + 3600_000 }, 15, "`/login`"],
  ])("a login that is %s", async (_, login, status, cure) => {
    await using stage = await openStage();
    stage.logIn(tokens.good, login);
    const ended = await stage.run("doctor");
    expect(ended.code).toBe(status);
    expect(ended.stdout).toContain(`do 1: this laptop: `);
    expect(ended.stdout).toContain(cure);
    expectNoToken(ended);
  });

  test("two methods: settings that outrank the login are named with their line", async () => {
    await using stage = await openStage();
    const env = { ANTHROPIC_API_KEY: "sk-ant-api03-CANARY" };
    const path = writeSettings(dirname(stage.laptopFile), { model: "opus", env });
    const ended = await stage.run("doctor");
    expect(ended.code).toBe(14);
    expect(ended.stdout).toContain(`warning methods: ANTHROPIC_API_KEY in ${path}, line 4`);
    expectNoToken(ended);
  });

  test("what the ledger says of the hosts: another login than the laptop has now", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    await stage.run("push", "web-1");
    expect((await stage.run("doctor")).code).toBe(0);
    stage.logIn(tokens.other);
    const ended = await stage.run("doctor");
    expect(ended.code).toBe(14);
    expect(ended.stdout).toMatch(
      /warning drift: web-1 was left with [0-9a-f]{8} at .*; this laptop has/,
    );
    expect(ended.stdout).toContain("`sync-creds push web-1`");
  });
});

describe.skipIf(!hasSshd)("doctor on a host", () => {
  test("in good order: every cause is ruled out, 0, and not a byte of the host has changed", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    await stage.run("push", "web-1");
    const before = treeOf(stage.sshd.home);

    const ended = await stage.run("doctor", "web-1");

    expect(ended.code).toBe(0);
    for (const topic of [
      "saved",
      "form",
      "expiry",
      "methods",
      "drift",
      "wrapper",
      "restart",
      "clock",
    ]) {
      expect(ended.stdout).toMatch(new RegExp(`^web-1: ok ${topic}: `, "m"));
    }
    expect(ended.stdout).not.toContain("do 1");
    expect(treeOf(stage.sshd.home)).toEqual(before);
    expectNoToken(ended);
  });

  test.each<[string, string | undefined, string[], string]>([
    [
      "expired",
      renderLogin("sk-ant-oat01-CANARYEXPIRED", {
        refreshToken: null,
        expiresAt: Date.now() - 3600_000,
      }),
      ["expiry bad 10", "drift warn 14", "wrapper bad 10"],
      "token-expired",
    ],
    [
      "malformed",
      '{"claudeAiOauth":{"accessToken":"sk-ant-oat01-CANARY","expi',
      ["form bad 10", "wrapper bad 10"],
      "not-logged-in",
    ],
    ["not saved", undefined, ["saved bad 10", "wrapper bad 10"], "not-logged-in"],
    [
      "cleared",
      renderLogin("", { refreshToken: "", expiresAt: 0 }),
      ["saved bad 10", "wrapper bad 10"],
      "token-expired",
    ],
  ])(
    "a login that is %s: said with its evidence, and cured by a push",
    async (_, hostFile, expected, code) => {
      await using stage = await openStage({ ...REAL, hostFile, running: true });

      const ended = await stage.run("doctor", "web-1", "--json");

      const diagnosis = diagnosisOf(ended);
      expect(troubles(diagnosis)).toEqual(expected);
      expect(ended.code).toBe(10);
      expect(diagnosis.hosts[0]?.checks.find(({ topic }) => topic === "wrapper")?.code).toBe(code);
      expect(diagnosis.first).toEqual([
        { place: "web-1", todo: "Push a login: `sync-creds push web-1`" },
      ]);
      expectNoToken(ended);
      expect((await stage.run("push", "web-1")).code).toBe(0);
      expect((await stage.run("doctor", "web-1")).code).toBe(0);
    },
  );

  test("a key outranks the login: every place, line, effect; no push cures it, --clear-shadows does", async () => {
    await using stage = await openStage({ ...REAL, hostFile: renderHostLogin(tokens.other) });
    const key = "sk-ant-api03-CANARYBAD";
    const settings = writeSettings(dirname(stage.hostFile), { env: { ANTHROPIC_API_KEY: key } });
    const dotEnv = join(stage.directory, ".env");
    writeFileSync(dotEnv, `# of the wrapper\nANTHROPIC_API_KEY=${key}\n`);
    writeFileSync(join(stage.sshd.home, ".bashrc"), `export ANTHROPIC_AUTH_TOKEN=CANARY\n`);
    await startWith(stage, { ANTHROPIC_API_KEY: key });

    const ended = await stage.run("doctor", "web-1", "--json");

    const diagnosis = diagnosisOf(ended);
    expect(ended.code).toBe(10);
    expect(troubles(diagnosis)).toEqual(["drift warn 14", "methods bad 14", "wrapper bad 10"]);
    const of = (topic: string) =>
      diagnosis.hosts[0]?.checks.filter((check) => check.topic === topic);
    expect(of("methods")?.[0]?.what).toBe(
      `ANTHROPIC_API_KEY (an API key) in the wrapper's environment, ${dotEnv}, line 2 and ${settings}, line 3 outranks the credentials file`,
    );
    expect(of("methods")?.[0]?.evidence[0]).toContain(EXTERNAL_KEY);
    expect(of("methods")?.[1]?.what).toMatch(
      /ANTHROPIC_AUTH_TOKEN in .*\.bashrc, line 1 is not read by services/,
    );
    expect(of("wrapper")?.[0]?.evidence).toEqual([
      `it said: ${EXTERNAL_KEY}`,
      "no push of a login cures that: what outranks it must go",
    ]);
    expect(diagnosis.first[0]?.todo).toContain("`sync-creds push web-1 --clear-shadows`");
    expect(diagnosis.first).toHaveLength(1);
    expectNoToken(ended);
  });

  test("two methods that both work are a conflict all the same", async () => {
    await using stage = await openStage({ ...REAL, hostFile: renderHostLogin(tokens.good) });
    await startWith(stage, { CLAUDE_CODE_OAUTH_TOKEN: tokens.other });
    const ended = await stage.run("doctor", "web-1", "--json");
    expect(ended.code).toBe(14);
    expect(troubles(diagnosisOf(ended))).toEqual(["methods bad 14"]);
  });

  test("laptop and host share one refresh token", async () => {
    await using stage = await openStage({ hostFile: renderLogin(tokens.good), running: true });
    const ended = await stage.run("doctor", "web-1");
    expect(ended.code).toBe(10);
    expect(ended.stdout).toMatch(
      /problem shared: this laptop and the host share one refresh token/,
    );
    expect(ended.stdout).toContain("logs the other out");
    expect((await stage.run("push", "web-1")).code).toBe(0);
    expect((await stage.run("doctor", "web-1")).code).toBe(0);
  });

  test("a token that Claude rejects although it is this laptop's: only a new login helps", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    stage.logIn(tokens.bad);
    const { first } = diagnosisOf(await stage.run("doctor", "web-1", "--json"));
    expect(first[0]?.todo).toContain("Log in anew on this laptop");
  });

  test("Claude Code's own word, when it is asked for", async () => {
    await using stage = await openStage({ ...REAL, hostFile: renderHostLogin(tokens.good) });
    const bin = join(stage.sshd.home, "bin");
    mkdirSync(bin);
    const claude = join(stage.directory, "claude.mjs");
    const line = `#!/bin/sh\nexec '${process.execPath}' '${claude}' "$@"\n`;
    writeFileSync(join(bin, "claude"), line, { mode: 0o755 });
    const PATH = [bin, process.env["PATH"]].join(delimiter);
    await startWith(stage, { PATH, ANTHROPIC_API_KEY: "sk-ant-api03-GOODCANARY" });
    const said = async (...options: string[]) =>
      (await stage.run("doctor", "web-1", ...options)).stdout;
    expect(await said("--ask-claude")).toContain(
      "claude: Claude Code there says it would use api_key from ANTHROPIC_API_KEY",
    );
    expect(await said()).not.toContain("Claude Code there says");
  });

  test("Claude Code's own word is about the wrapper, not about what a login to the host has", async () => {
    const environment = { ANTHROPIC_API_KEY: "sk-ant-api03-GOODCANARY-of-the-login" };
    await using stage = await openStage({
      ...REAL,
      hostFile: renderHostLogin(tokens.good),
      sshd: { environment },
    });
    const bin = join(stage.sshd.home, "bin");
    mkdirSync(bin);
    const line = `#!/bin/sh\nexec '${process.execPath}' '${stage.directory}/claude.mjs' "$@"\n`;
    writeFileSync(join(bin, "claude"), line, { mode: 0o755 });
    await startWith(stage, { PATH: [bin, process.env["PATH"]].join(delimiter) });
    const { stdout } = await stage.run("doctor", "web-1", "--ask-claude");
    expect(stdout).toContain("claude: Claude Code there says it would use claude.ai");
  });

  test("12 when nothing but the host's address is wrong", async () => {
    await using stage = await openStage({ running: true });
    stage.configure({ ssh: `${stage.sshd.user}@127.0.0.1:1` });
    const ended = await stage.run("doctor", "web-1");
    expect(ended.code).toBe(12);
    expect(ended.stdout).toContain("web-1: problem connection: ");
  });

  test("a login that no host needs is nobody's concern", async () => {
    await using stage = await openStage({
      hostFile: renderLogin(tokens.other, { refreshToken: "sk-ant-ort01-CANARYhost" }),
      host: { delivery: "own-login" },
      running: true,
    });
    rmSync(stage.laptopFile);
    const ended = await stage.run("doctor", "web-1");
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("no host that is looked at gets it");
  });

  test("hosts.json names another supervisor than the one that runs the wrapper: the JSON to write", async () => {
    const docker = installDocker();
    onTestFinished(() => docker[Symbol.dispose]());
    await using stage = await openStage({
      sshd: { path: [docker.folder] },
      hostFile: renderHostLogin(tokens.good),
    });
    const { directory, command, sshd } = stage;
    const service = {
      image: "wrapper:1",
      command: command.replace(/^exec /, ""),
      working_dir: "/",
      environment: { HOME: sshd.home },
    };
    writeFileSync(join(directory, "compose.yaml"), JSON.stringify({ services: { api: service } }));
    expect(docker.call(["compose", "up", "-d"], directory).status).toBe(0);
    await until("the wrapper answers", async () => (await stage.chat("up?")) !== undefined);

    const ended = await stage.run("doctor", "web-1");

    expect(ended.code).toBe(10);
    expect(ended.stdout).toContain(
      `problem restart: run by the compose service api in ${directory}`,
    );
    const restart = { kind: "docker-compose", directory, service: "api" };
    expect(ended.stdout).toContain(
      `do 1: web-1: Set for web-1 in hosts.json: \`"restart": ${JSON.stringify(restart)}\``,
    );
    stage.configure({ restart });
    expect((await stage.run("doctor", "web-1")).stdout).toMatch(
      /ok restart: run by the compose service api/,
    );
  });

  test("a unit is known by its own word; a variable in it is named with file and line, and so is its cure", async () => {
    const systemd = installSystemd();
    onTestFinished(() => systemd[Symbol.dispose]());
    const unit = "claude-wrapper.service";
    await using stage = await openStage({
      ...REAL,
      sshd: { path: [systemd.folder] },
      hostFile: renderHostLogin(tokens.good),
      host: { restart: { kind: "systemd", unit } },
    });
    const path = systemd.write(
      unit,
      [
        "[Service]",
        `Environment=HOME=${stage.sshd.home} PATH=${process.env["PATH"]}`,
        "Environment=ANTHROPIC_API_KEY=sk-ant-api03-CANARYBAD",
        `WorkingDirectory=${stage.directory}`,
        `ExecStart=/bin/sh -c '${stage.command}'`,
      ].join("\n"),
    );
    systemd.control(["start", unit]);
    await until("the wrapper answers", async () => (await stage.chat("up?")) !== undefined);

    const ended = await stage.run("doctor", "web-1");

    expect(ended.code).toBe(10);
    expect(ended.stdout).toContain(
      `ok restart: run by the system unit ${unit}, as hosts.json says`,
    );
    expect(ended.stdout).toContain(`in the wrapper's environment and ${path}, line 3 outranks`);
    expect(ended.stdout).toContain("`UnsetEnvironment=ANTHROPIC_API_KEY`");
    expectNoToken(ended);
    stage.configure({ restart: { kind: "systemd", unit: "other.service" } });
    const other = await stage.run("doctor", "web-1");
    expect(other.stdout).toMatch(
      /problem restart: run by no supervisor .*, but hosts.json would restart the system unit other.service/,
    );
  });

  test.skipIf(!canChooseShell)(
    "a wrapper of another account: what cannot be seen is said, and why a push is refused",
    async () => {
      await using stage = await openStage({
        sshd: { shell: "/bin/sh" },
        hostFile: renderHostLogin(tokens.good),
      });
      await startWith(stage);
      const ended = await stage.run("doctor", "web-1", "--bundle", "report.md");
      expect(ended.code).toBe(10);
      expect(ended.stdout).toMatch(
        /note restart: sc\w+ cannot see the process on the wrapper's port \(uid 0\)/,
      );
      expect(ended.stdout).toMatch(/problem file: the wrapper runs under another account than sc/);
      expect(ended.stdout).toContain("Set `runAs` to the wrapper's account");
      expect(readFileSync(join(stage.laptop, "report.md"), "utf8")).not.toContain(stage.sshd.user);
    },
  );

  test("a bearer that is not to be had does not keep it from the rest", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.good), running: true });
    stage.configure({}, { bearer: { env: "NO_SUCH_VARIABLE" } });
    const ended = await stage.run("doctor", "web-1", "--json");
    expect(ended.code).toBe(10);
    expect(troubles(diagnosisOf(ended))).toEqual(["wrapper bad 10"]);
  });

  test("a failover is told, and taken for no conflict", async () => {
    await using stage = await openStage({
      ...REAL,
      hostFile: renderHostLogin(tokens.other),
      running: true,
    });
    const key = join(stage.laptop, "key");
    writeFileSync(key, "sk-ant-api03-GOODCANARY\n", { mode: 0o600 });
    stage.configure({ backup: "api-key", apiKey: { file: key } });
    expect((await stage.run("push", "web-1")).code).toBe(0);
    const before = await stage.run("doctor", "web-1");
    expect(before.stdout).toContain("ok fallback: not failed over; the backup API key lies ready");
    expect((await stage.run("failover", "web-1")).code).toBe(0);

    const ended = await stage.run("doctor", "web-1");

    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(
      /note fallback: failed over to API key [0-9a-f]{8}; back to the login: `sync-creds failover web-1 --back`/,
    );
    expectNoToken(ended);
  });

  test("switches are shown as they stand", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.good), running: true });
    writeFileSync(join(stage.sshd.home, "config.py"), 'provider = "perplexity"\n');
    const one = { file: "~/config.py", find: '"claude"', put: '"perplexity"' };
    stage.configure({ switches: { llm: one, other: { ...one, find: "a", put: "b" } } });
    const { stdout } = await stage.run("doctor", "web-1");
    expect(stdout).toContain("note fallback: switch llm (~/config.py) is on");
    expect(stdout).toContain("problem fallback: switch other (~/config.py) is unclear");
  });
});

describe.skipIf(!hasSshd || !hasStrace)("seen by strace", () => {
  test("a write would be seen", async () => {
    await using stage = await openStage();
    const [program = "", ...words] = straceFilesInto(join(stage.laptop, "trace"));
    spawnSync(program, [...words, "sh", "-c", "echo x >made; mkdir folder; chmod 600 made"], {
      cwd: stage.laptop,
    });
    const writes = writesIn(readFileSync(join(stage.laptop, "trace"), "utf8"));
    expect(writes.map((line) => /(\w+)\(/.exec(line)?.[1])).toEqual([
      "openat",
      "mkdir",
      expect.stringContaining("chmod"),
    ]);
  });

  test("nothing that doctor starts on the host writes there", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    await stage.run("push", "web-1");
    const trace = join(stage.laptop, "trace");
    const words = straceFilesInto(trace).join(" ");
    // Every command of the connection runs under it, and all that it starts.
    const { sshd } = stage;
    const config = join(sshd.directory, "sshd_config");
    const forced = `ForceCommand ${words} /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n`;
    writeFileSync(config, forced + readFileSync(config, "utf8"));
    await sshd.reload();
    const before = treeOf(sshd.home);

    const ended = await stage.run("doctor", "web-1", "--bundle", "report.md");

    expect(ended.code).toBe(0);
    const seen = readFileSync(trace, "utf8");
    expect(seen).toMatch(/\.credentials\.json/);
    expect(seen).toMatch(/\/proc\/\d+\/cgroup/);
    expect(writesIn(seen)).toEqual([]);
    expect(treeOf(sshd.home)).toEqual(before);
  });
});

describe.skipIf(!hasSshd || !hasScript)("doctor on a terminal", () => {
  test("offers the hosts; what is found stands in a section for each place, then what to do", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    const entry = entryOf(stage);
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-0": entry, "web-1": entry } }));

    const terminal = openTerminal(stage, ["doctor"]);
    await terminal.shows("Look at which places?");
    await terminal.shows("this laptop only");
    terminal.type("\u001b[B\u001b[B ");
    await terminal.shows(/◉ *web-1/);
    terminal.type("\r");

    expect(await terminal.ended).toBe(10);
    const plain = stripVTControlCharacters(terminal.raw()).replaceAll("\r", "");
    expect(plain).toMatch(/\nthis laptop\n {2}✔ saved/);
    expect(plain).toMatch(/\nweb-1\n {2}✔ saved/);
    expect(plain).toMatch(/\n {2}✖ wrapper +the login was signed out/);
    expect(plain).toMatch(/\nDo this\n {2}1\. web-1: Push/);
    expect(plain).not.toContain("web-0\n");
    expect(terminal.raw()).toContain("\u001b[31m✖");
    expect(Math.max(...plain.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(120);
  });

  test("--no-input asks nothing, and looks at this laptop", async () => {
    await using stage = await openStage();
    const terminal = openTerminal(stage, ["doctor", "--no-input"]);
    expect(await terminal.ended).toBe(0);
    expect(stripVTControlCharacters(terminal.raw())).toContain("Nothing to do.");
  });
});
