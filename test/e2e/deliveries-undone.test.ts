import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DELIVERIES, NAMES, haveSecrets } from "../support/deliveries.ts";
import { expectSettled } from "../support/host-state.ts";
import { expectNoKey, keys, openUnit, textsOf } from "../support/shadowed.ts";
import type { Shadowed } from "../support/shadowed.ts";
import { hasSshd } from "../support/sshd.ts";
import { CLEAR, PUSH, renderHostLogin, tokens } from "../support/stage.ts";
import { until } from "../support/until.ts";

/** One of each kind: by file, by either variable, by helper. */
const TRIED = ["access-token", "setup-token as variable", "api-key", "api-key by helper"] as const;

describe.skipIf(!hasSshd)("a delivery that fails", () => {
  test.each(NAMES)(
    "leaves %s as it was, whichever it was to replace it",
    { timeout: 200_000 },
    async (former) => {
      await using host = await openUnit(() => ({ ".claude/settings.json": '{"a": 1}\n' }));
      const { stage } = host;
      haveSecrets(stage, true);
      stage.configure(DELIVERIES[former]);
      expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
      const before = statesOf(host);
      haveSecrets(stage, false);

      for (const name of TRIED.filter((other) => other !== former)) {
        stage.configure(DELIVERIES[name]);
        const ended = await stage.run(...PUSH);
        expect([name, ended.result]).toEqual([
          name,
          expect.objectContaining({
            outcome: "rolled-back",
            code: expect.stringMatching(/^token-invalid$|^external-key-invalid$/) as string,
          }),
        ]);
        expect(ended.result.state).toContain("answering again");
        expectNoKey(ended);
        expect(statesOf(host)).toEqual(before);
        expect(await stage.chat("say pong")).toBe("pong");
      }
    },
  );
});

/** A host on which one push changes five files: credentials, env file, drop-in, settings and `.env`. */
function openFive(): Promise<Shadowed> {
  return openUnit(
    () => ({
      ".claude/settings.json": `{ "a": 1, "env": { "ANTHROPIC_API_KEY": "${keys.good}" } }\n`,
      "wrapper/.env": `A=1\nANTHROPIC_AUTH_TOKEN=CANARY-bearer-0051\n`,
    }),
    () => "Environment=CLAUDE_CODE_USE_VERTEX=0",
    {
      hostFile: renderHostLogin(tokens.other),
      host: {
        delivery: "setup-token",
        place: "env",
        token: { file: "setup-token" },
        confirmTimeoutMs: 5000,
      },
    },
  );
}

describe.skipIf(!hasSshd)("a change of five files", () => {
  test.each(["probe", "install", "restart", "smoke"])(
    "that is killed at %s is whole or not at all, and the next push ends verified",
    async (step) => {
      await using host = await openFive();
      const { stage } = host;
      haveSecrets(stage, true);
      const before = statesOf(host);
      const push = stage.start(...CLEAR);
      await push.reached(step);
      push.kill("SIGKILL");
      await push.ended;

      await until(
        "the host is free again",
        () => !existsSync(join(stage.sshd.home, ".claude/.sync-creds/pending")),
        30_000,
      );
      // Killed before anything was sent, or taken back by the host itself.
      expect(statesOf(host)).toEqual(before);
      expect(await stage.chat("say pong")).toBe("pong");

      let ended = await stage.run(...CLEAR);
      await until("the former session is gone", async () => {
        if (ended.result.outcome === "busy") ended = await stage.run(...CLEAR);
        return ended.result.outcome !== "busy";
      });
      expect(ended.result).toMatchObject({ outcome: "verified" });
      const after = statesOf(host);
      const changed = Object.keys({ ...before, ...after }).filter(
        (path) => before[path] !== after[path],
      );
      expect(changed.sort()).toEqual([
        ".claude/.credentials.json",
        ".claude/.sync-creds/wrapper.env",
        ".claude/settings.json",
        ".config/systemd/user/claude-wrapper.service.d/zz-sync-creds.conf",
        "wrapper/.env",
      ]);
      expectSettled(stage);
    },
  );

  test("that is cut off and found by the next push is taken back by that one first", async () => {
    await using host = await openFive();
    const { stage } = host;
    haveSecrets(stage, true);
    stage.configure({ confirmTimeoutMs: 60_000 });
    const push = stage.start(...CLEAR);
    await push.reached("smoke");
    push.kill("SIGKILL");
    await push.ended;
    stage.configure({ delivery: "access-token", place: "file" });

    let ended = await stage.run(...CLEAR);
    await until("the former session is gone", async () => {
      if (ended.result.outcome === "busy") ended = await stage.run(...CLEAR);
      return ended.result.outcome !== "busy";
    });

    expect(ended.result).toMatchObject({ outcome: "verified" });
    expect(ended.stdout).toContain('"step":"recover"');
    expect(statesOf(host)[".claude/.sync-creds/wrapper.env"]).toBeUndefined();
  });
});

/** Every file of the host that is not a run's own record. */
function statesOf({ stage }: Shadowed): Record<string, string> {
  const texts = textsOf(stage);
  return Object.fromEntries(
    Object.entries(texts).filter(([path]) => !/\.sync-creds\/(?:backups|lock|pending)/.test(path)),
  );
}
