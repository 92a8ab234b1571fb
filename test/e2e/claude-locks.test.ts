import { existsSync, mkdirSync, rmdirSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectOldFile, expectProven } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

/** The folders by which Claude Code says that it renews a login. */
const LOCKS = {
  "its lock": ({ hostFile }: Stage) => join(dirname(hostFile), ".oauth_refresh.lock"),
  "its older lock": ({ hostFile }: Stage) => `${dirname(hostFile)}.lock`,
};

describe.skipIf(!hasSshd).each(Object.entries(LOCKS))(
  "while the host's Claude Code holds %s",
  (_, lockOf) => {
    test("a push waits until it lets go", async () => {
      await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
      const lock = lockOf(stage);
      mkdirSync(lock);
      let released = false;
      const push = stage.start(...PUSH);
      await push.reached("install");
      setTimeout(() => {
        released = true;
        rmdirSync(lock);
      }, 2000);

      const ended = await push.ended;

      expect(released).toBe(true);
      await expectProven(stage, ended, tokens.good);
    });

    test("for long, a push ends as busy: nothing changed, the lock still there", async () => {
      const old = renderHostLogin(tokens.bad);
      await using stage = await openStage({ hostFile: old, running: true });
      const lock = lockOf(stage);
      mkdirSync(lock);
      const touching = setInterval(() => utimesSync(lock, new Date(), new Date()), 5000);

      const ended = await stage.run(...PUSH);
      clearInterval(touching);

      expect(ended.code).toBe(13);
      expect(ended.result).toMatchObject({ outcome: "busy", code: "LOCKED" });
      expect(ended.result.what).toBe("Claude Code on the host is renewing its login");
      expect(ended.result.next.join("\n")).toContain(`ls -ld`);
      expect(ended.result.state).toBe("nothing was changed on the host");
      expect(existsSync(lock)).toBe(true);
      expectOldFile(stage, old);
    });
  },
);

describe.skipIf(!hasSshd)("a lock that Claude Code has not touched for a minute", () => {
  test("is nobody's: it is passed over, and left there", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    const lock = LOCKS["its lock"](stage);
    mkdirSync(lock);
    const longAgo = new Date(Date.now() - 90_000);
    utimesSync(lock, longAgo, longAgo);

    const ended = await stage.run(...PUSH);

    await expectProven(stage, ended, tokens.good);
    expect(existsSync(lock)).toBe(true);
  });
});
