import { chmodSync, linkSync, readFileSync, symlinkSync, renameSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CONFIG, SWITCHED, openApp } from "../support/app-stage.ts";
import { backupsOf, expectSettled, readHostFile, wrapperPid } from "../support/host-state.ts";
import { modeOf } from "../support/promises.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";

/** The login of the host is dead: its wrapper answers with a failure. */
const dead = renderHostLogin(tokens.bad);
const good = renderHostLogin(tokens.good);
const ON = ["switch", "web-1", "fallback", "on", "--json"] as const;
const OFF = ["switch", "web-1", "fallback", "off", "--json"] as const;

describe.skipIf(!hasSshd)("a switch", () => {
  test("points the app at another provider while the login is dead, and back when it is mended", async () => {
    await using stage = await openStage({ hostFile: dead, running: true });
    const app = await openApp(stage);
    expect(await app.ask("say pong")).toContain("401");
    const wrapper = await wrapperPid(stage);

    const on = await stage.run(...ON);

    expect(on.result).toMatchObject({ outcome: "verified", next: [] });
    expect(on.result.fingerprint).toBeUndefined();
    expect(on.code).toBe(0);
    expect(app.config()).toBe(SWITCHED);
    expect(modeOf(app.configFile)).toBe("644");
    expect(await app.ask("say pong")).toBe("pong");
    // The wrapper and its login are not what the switch is about.
    expect(await wrapperPid(stage)).toBe(wrapper);
    expect(readHostFile(stage)).toBe(dead);
    expectSettled(stage);
    expect((await stage.run(...ON)).result.outcome).toBe("unchanged");

    const tooEarly = await stage.run(...OFF);

    expect(tooEarly.result).toMatchObject({
      outcome: "rolled-back",
      code: "token-revoked",
      state: "the switch fallback is on again, and answering again",
    });
    expect(app.config()).toBe(SWITCHED);
    expect(await app.ask("say pong")).toBe("pong");

    const mended = await stage.run("push", "web-1", "--json");
    expect(mended.result.outcome).toBe("verified");
    const off = await stage.run(...OFF);

    expect(off.result.outcome).toBe("verified");
    expect(app.config()).toBe(CONFIG);
    expect(await app.health()).toMatchObject({ provider: "claude" });
    expect((await stage.run(...OFF)).result.outcome).toBe("unchanged");
  });

  test("goes back byte for byte when the app does not answer with it", async () => {
    await using stage = await openStage({ hostFile: good, running: true });
    const app = await openApp(stage, ["--perplexity fails"]);

    const ended = await stage.run(...ON);

    expect(ended.result).toMatchObject({
      outcome: "rolled-back",
      state: "the switch fallback is off again, and answering again",
    });
    expect(ended.code).toBe(10);
    expect(app.config()).toBe(CONFIG);
    expect(await app.ask("say pong")).toBe("pong");
    expectSettled(stage);
  });

  test("goes back when the app does not come up with it", async () => {
    await using stage = await openStage({ hostFile: good, running: true });
    const app = await openApp(stage);
    stage.configure({ switches: { fallback: { ...app.fallback, put: '"provider": "nobody"' } } });

    const ended = await stage.run(...ON);

    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(ended.result.what).toBe("the app did not come up with the edited file");
    expect(ended.result.logTail?.join("\n")).toContain("unknown provider nobody");
    expect(app.config()).toBe(CONFIG);
    expect(await app.ask("say pong")).toBe("pong");
  });

  test("of an app that cannot be asked ends unverified, and says what is missing", async () => {
    await using stage = await openStage({ hostFile: dead, running: true });
    const app = await openApp(stage);
    const { chat: _, ...wrapper } = app.fallback["wrapper"] as Record<string, unknown>;
    const health = { path: "/health" };
    stage.configure({
      switches: { fallback: { ...app.fallback, wrapper: { ...wrapper, health } } },
    });

    const ended = await stage.run(...ON);

    expect(ended.result).toMatchObject({
      outcome: "unverified",
      code: "healthy",
      state: "the switch fallback is on",
    });
    expect(ended.result.next[0]).toContain("Set `chat`");
    expect(ended.code).toBe(10);
    expect(app.config()).toBe(SWITCHED);
    expect(await app.ask("say pong")).toBe("pong");
  });

  test("without a restart and a wrapper of its own uses the host's", async () => {
    await using stage = await openStage({ hostFile: good, running: true });
    const app = await openApp(stage);
    const { restart: _, wrapper: __, ...edit } = app.fallback;
    stage.configure({ switches: { fallback: edit } });
    const before = await wrapperPid(stage);

    const ended = await stage.run(...ON);

    expect(ended.result.outcome).toBe("verified");
    expect(app.config()).toBe(SWITCHED);
    expect(await wrapperPid(stage)).not.toBe(before);
  });

  test("keeps its lock and its journal where the wrapper's Claude has its directory", async () => {
    await using stage = await openStage({ hostFile: dead });
    const app = await openApp(stage);
    const other = `${stage.sshd.home}/other-claude`;
    const command = `CLAUDE_CONFIG_DIR=${other} ${stage.command}`
      .replace("exec ", "")
      .replace(/^/, "exec env ");
    stage.configure({
      switches: { fallback: app.fallback },
      restart: { kind: "process", directory: "~/wrapper", command },
      configDir: other,
    });
    await stage.run("push", "web-1");
    // From now on only the running wrapper tells.
    stage.configure({
      switches: { fallback: app.fallback },
      restart: { kind: "process", directory: "~/wrapper", command },
    });

    const ended = await stage.run(...ON);

    expect(ended.result.outcome).toBe("verified");
    expect(backupsOf({ ...stage, hostFile: `${other}/.credentials.json` })).toHaveLength(2);
    expect(backupsOf(stage)).toEqual([]);
  });

  test("is shown by plan, which changes nothing", async () => {
    await using stage = await openStage({ hostFile: good, running: true });
    const app = await openApp(stage);
    const twice = { ...app.fallback, find: "R", put: "x" };
    const nowhere = { ...app.fallback, file: "~/app/nothing.py" };
    stage.configure({ switches: { fallback: app.fallback, twice, nowhere } });

    const ended = await stage.run("plan", "web-1", "--json");

    expect(ended.result.plan).toContain("switch fallback: off");
    expect(ended.result.plan).toContain("switch twice: unclear: the text stands there 2 times");
    expect(ended.result.plan).toContain("switch nowhere: unclear: there is no such file");
    await stage.run(...ON);
    const later = await stage.run("plan", "web-1", "--json");
    expect(later.result.plan).toContain("switch fallback: on");
    const dry = await stage.run("switch", "web-1", "fallback", "off", "--dry-run", "--json");
    expect(dry.result.outcome).toBe("planned");
    expect(dry.result.plan).toContain(`${app.configFile}: the switch fallback goes off`);
    expect(app.config()).toBe(SWITCHED);
  });
});

describe.skipIf(!hasSshd)("a switch is refused, and nothing is touched", () => {
  test("where its text occurs twice or never: it says how often", async () => {
    await using stage = await openStage({ hostFile: good, running: true });
    const app = await openApp(stage);
    const twice = CONFIG + CONFIG;
    writeFileSync(app.configFile, twice);
    const ended = await stage.run(...ON);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "SWITCH_UNCLEAR" });
    expect(ended.result.what).toBe(
      `the text of the switch fallback stands 2 times in ${app.configFile}`,
    );
    expect(app.config()).toBe(twice);

    writeFileSync(app.configFile, "nothing of the kind\n");
    const never = await stage.run(...ON);
    expect(never.result).toMatchObject({ outcome: "refused", code: "SWITCH_UNCLEAR" });
    expect(never.result.what).toBe(
      `the text of the switch fallback stands nowhere in ${app.configFile}`,
    );
    expect(never.code).toBe(10);
    expect(backupsOf(stage)).toEqual([]);
  });

  test("where its file is missing, a link, has several names, or is no text", async () => {
    await using stage = await openStage({ hostFile: good, running: true });
    const app = await openApp(stage);
    const aside = `${app.configFile}.aside`;
    renameSync(app.configFile, aside);
    expect((await stage.run(...ON)).result).toMatchObject({
      outcome: "refused",
      code: "TARGET_UNSAFE",
      what: `${app.configFile} is not on the host`,
    });

    symlinkSync(aside, app.configFile);
    expect((await stage.run(...ON)).result.what).toBe(`${app.configFile} is a symbolic link`);
    renameSync(aside, app.configFile);

    linkSync(app.configFile, aside);
    expect((await stage.run(...ON)).result.what).toBe(`${app.configFile} has several names`);

    writeFileSync(aside, Buffer.concat([Buffer.from(CONFIG), Buffer.from([0xff])]));
    renameSync(aside, app.configFile);
    writeFileSync(
      `${app.configFile}.new`,
      Buffer.concat([Buffer.from(CONFIG), Buffer.from([0xff])]),
    );
    chmodSync(`${app.configFile}.new`, 0o644);
    renameSync(`${app.configFile}.new`, app.configFile);
    expect((await stage.run(...ON)).result.why).toMatch(/it is not UTF-8|it has owner/);
    expect(readFileSync(app.configFile).at(-1)).toBe(0xff);
  });

  test("where no host has it: before any connection, with the name that was meant", async () => {
    await using stage = await openStage({ hostFile: good });
    const edit = { file: "/srv/app/config.py", find: "a", put: "b" };
    stage.configure({ switches: { fallback: edit } });

    const ended = await stage.run("switch", "web-1", "falback", "on", "--json");

    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      error: {
        code: "TARGET_UNKNOWN",
        what: "web-1 has no switch called falback",
        next: ["Did you mean `fallback`?", expect.any(String)],
      },
    });
    expect(stage.sshd.log()).not.toContain("Connection from");
    for (const words of [
      ["web-1", "fallback"],
      ["web-1", "fallback", "maybe"],
      ["fallback", "on"],
    ]) {
      const wrong = await stage.run("switch", ...words, "--json");
      expect(wrong.code).toBe(2);
      expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: "USAGE" } });
    }
  });
});
