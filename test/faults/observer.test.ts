import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { expectSettled, hostToken, readHostFile } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";

const OBSERVER = fileURLToPath(new URL("../support/observer.mjs", import.meta.url));

describe.skipIf(!hasSshd)("whoever reads the host's file at any instant", () => {
  test("sees known contents, whole and private, through ten pushes and rollbacks", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    const known = new Set([readHostFile(stage)]);
    const observer = fork(OBSERVER, [stage.hostFile], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });

    for (let round = 0; round < 5; round++) {
      stage.logIn(`${tokens.good}-${round}`);
      const good = await stage.run("push", "web-1", "--json");
      expect(good.result.outcome).toBe("verified");
      known.add(readHostFile(stage));

      stage.logIn(`${tokens.bad}-${round}`);
      const bad = await stage.run("push", "web-1", "--json");
      expect(bad.result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
      expect(hostToken(stage)).toBe(`${tokens.good}-${round}`);
    }

    const reported = once(observer, "message") as Promise<[Report]>;
    observer.send("stop");
    const [{ observations, contents, modes, failures }] = await reported;
    expect(observations).toBeGreaterThan(1000);
    expect(failures).toEqual([]);
    expect(modes).toEqual(["100600"]);
    const strange = contents.filter((text) => !known.has(text));
    // Of a bad push the file exists for a moment only; it must be whole all the same.
    const whole = strange.map(
      (text) => JSON.parse(text) as { claudeAiOauth: { accessToken: string } },
    );
    for (const { claudeAiOauth } of whole) expect(claudeAiOauth.accessToken).toContain(tokens.bad);
    expect(contents.length).toBeGreaterThan(10);
    expect(strange.length).toBeLessThanOrEqual(5);
    expectSettled(stage);
  });
});

interface Report {
  readonly observations: number;
  readonly contents: readonly string[];
  readonly modes: readonly string[];
  readonly failures: readonly string[];
}
