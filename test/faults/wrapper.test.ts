import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openAdversary } from "../support/adversary.ts";
import type { Behaviour } from "../support/adversary.ts";
import { expectOldFile, expectSettled, hostToken } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Ended, Stage } from "../support/stage.ts";

const old = renderHostLogin(tokens.other);

/** What a wrapper does, and the verdict that it deserves. */
const MISDEEDS: readonly (readonly [Behaviour, string])[] = [
  ["hang", "timeout"],
  ["trickle", "timeout"],
  ["trickling-head", "timeout"],
  ["html", "not-a-wrapper"],
  ["redirect", "not-a-wrapper"],
  ["banner", "not-a-wrapper"],
  ["status-500", "wrapper-error"],
  ["status-401", "wrapper-auth"],
  ["status-429", "rate-limited"],
  ["huge-body", "unexpected-reply"],
  ["endless-body", "unexpected-reply"],
  ["gzip-bomb", "unexpected-reply"],
  ["canned", "unexpected-reply"],
  ["empty-200", "not-a-wrapper"],
  ["reset-mid-body", "wrapper-error"],
  ["invalid-key", "external-key-invalid"],
];
/** Verdicts without which nothing is changed: nobody could tell whether the new login works. */
const UNUSABLE = ["not-a-wrapper", "wrapper-auth"];

describe.skipIf(!hasSshd)("a wrapper that answered before and misbehaves with the new file", () => {
  test.each(MISDEEDS)("by %s (%s) gets its old file back", async (behaviour, verdict) => {
    await using stage = await openStage({ hostFile: old });
    await using _wrapper = await openWrapper(
      stage,
      behaviour,
      () => hostToken(stage) === tokens.other,
    );

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: verdict });
    expect(ended.result.state).toContain("and answering again");
    expect(ended.code).toBe(10);
    expectOldFile(stage, old);
  });
});

describe.skipIf(!hasSshd)("a wrapper that misbehaves from the start", () => {
  test.each(MISDEEDS.filter(([, verdict]) => UNUSABLE.includes(verdict)))(
    "by %s (%s) is left alone: nothing is changed without hope of a verdict",
    async (behaviour) => {
      await using stage = await openStage({ hostFile: old });
      await using _wrapper = await openWrapper(stage, behaviour, () => false);

      const ended = await stage.run("push", "web-1", "--json");

      expect(ended.result).toMatchObject({ outcome: "refused", code: "WRAPPER_UNUSABLE" });
      expect(ended.code).toBe(10);
      expectOldFile(stage, old);
    },
  );

  test.each(
    MISDEEDS.filter(([, verdict]) => ![...UNUSABLE, "external-key-invalid"].includes(verdict)),
  )(
    "by %s (%s) keeps the new file, unverified: the old one was no better",
    async (behaviour, verdict) => {
      await using stage = await openStage({ hostFile: old });
      await using _wrapper = await openWrapper(stage, behaviour, () => false);

      const ended = await stage.run("push", "web-1", "--json");

      expect(ended.result).toMatchObject({ outcome: "unverified", code: verdict });
      expect(ended.code).toBe(10);
      expect(hostToken(stage)).toBe(tokens.good);
      expectSettled(stage);
    },
  );
});

describe.skipIf(!hasSshd || process.platform !== "linux")("whatever a wrapper sends", () => {
  test.each(["huge-body", "gzip-bomb", "endless-headers"] as const)(
    "%s costs us no more than 200 MB of memory",
    async (behaviour) => {
      await using stage = await openStage({ hostFile: old });
      await using _wrapper = await openWrapper(
        stage,
        behaviour,
        () => hostToken(stage) === tokens.other,
      );

      const push = stage.start("push", "web-1", "--json");
      const { ended, peakMiB } = await watchMemory(push);

      expect(ended.result.outcome).toBe("rolled-back");
      expect(peakMiB).toBeGreaterThan(10);
      expect(peakMiB).toBeLessThan(200);
      expectOldFile(stage, old);
    },
  );
});

/** A wrapper without restart, whose answers are good as long as `isGood`. */
async function openWrapper(stage: Stage, behaviour: Behaviour, isGood: () => boolean) {
  const { url, close } = await openAdversary(behaviour, { answersWell: isGood });
  stage.configure(
    { restart: { kind: "none" } },
    { url, health: undefined, timeoutMs: 1000, baselineTimeoutMs: 1000 },
  );
  return { [Symbol.asyncDispose]: close };
}

/** The highest resident size (VmHWM) that was seen while it ran. */
async function watchMemory(push: { pid: number; ended: Promise<Ended> }) {
  let peakKiB = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${push.pid}/status`, "utf8");
      peakKiB = Math.max(peakKiB, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // it has ended
    }
  }, 20);
  const ended = await push.ended;
  clearInterval(timer);
  return { ended, peakMiB: peakKiB / 1024 };
}
