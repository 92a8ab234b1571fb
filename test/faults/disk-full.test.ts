import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { canMount, mountDisk } from "../support/disk.ts";
import { WITHOUT_PERL } from "../support/local-half.ts";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";

/** A host's file with another key of about `kibibytes`, which has to be kept. */
function renderLarge(kibibytes: number): string {
  const { claudeAiOauth } = JSON.parse(renderHostLogin(tokens.other)) as Record<string, unknown>;
  return JSON.stringify({ claudeAiOauth, kept: "k".repeat(kibibytes * 1024) });
}

describe.skipIf(!hasSshd || !canMount)("a disk", () => {
  test("that is nearly full is refused in the plan", async () => {
    await using stage = await openStage({ running: true });
    const old = renderHostLogin(tokens.other);
    using _disk = mountDisk(stage.hostFile, "size=128k", old);
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ code: "INSTALL_FAILED", what: "the disk of the host is full" });
    expect(result.state).toContain("nothing was changed");
    expect(code).toBe(10);
    await expectOldWhole(stage.hostFile, old);
  });

  // Without perl the old file is copied before it is replaced: then the copy is what does not fit.
  test.each([
    [230, "perl", {}],
    [245, "perl", {}],
    [150, "programs", WITHOUT_PERL],
    [190, "programs", WITHOUT_PERL],
  ])(
    "that fills up during the install (a file of %i KiB to keep, by %s) leaves the old file whole",
    async (kibibytes, _, environment) => {
      await using stage = await openStage({ running: true, sshd: { environment } });
      const old = renderLarge(kibibytes);
      using _disk = mountDisk(stage.hostFile, `size=${kibibytes + 280}k`, old);
      const { result, stdout, stderr } = await stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "failed", code: "INSTALL_FAILED" });
      expect(result.why).toMatch(/No space left/);
      expect(result.state).toContain("nothing was changed");
      expect(stdout + stderr).not.toContain(tokens.good);
      await expectOldWhole(stage.hostFile, old);
      expect(await stage.chat("say pong")).toBe("pong");
    },
  );

  test("with just enough room takes a large file, and keeps its other keys", async () => {
    await using stage = await openStage({ running: true });
    using _disk = mountDisk(stage.hostFile, "size=1m", renderLarge(200));
    await expectNewProven(stage, await stage.run(...PUSH));
    expect(readFileSync(stage.hostFile, "utf8")).toContain("k".repeat(200 * 1024));
  });

  // Every file and folder that a push makes is the one that does not fit, in turn.
  test.each([3, 4, 6, 8, 10, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22])(
    "with room for %i files has the old file whole, or the new one proven",
    async (inodes) => {
      await using stage = await openStage({ running: true });
      const old = renderHostLogin(tokens.other);
      using _disk = mountDisk(stage.hostFile, `size=2m,nr_inodes=${inodes}`, old);
      const ended = await stage.run(...PUSH);
      if (ended.code === 0) return await expectNewProven(stage, ended);
      expect(ended.result.outcome).toMatch(/^(?:failed|rolled-back)$/);
      await expectOldWhole(stage.hostFile, old);
      expect(await stage.chat("say pong")).toBe("pong");
    },
  );
});
