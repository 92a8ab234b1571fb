import { describe, expect, test } from "vitest";
import { SyncCredsError } from "../../../src/errors.ts";
import type { HostResult, Outcome } from "../../../src/outcome.ts";
import { Conductor } from "../../../src/rollout/conductor.ts";
import type { Conduct } from "../../../src/rollout/conductor.ts";
import { parseAmount, parseWaves } from "../../../src/rollout/waves.ts";

const PLAN = { kind: "change", changes: [], recipe: {}, lines: ["a → b"] } as const;

/** Lets everything happen that waits for nothing but its turn. */
const settle = async () => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

/** A run of made-up hosts: what each of them was seen to do, in order, and the strings to pull. */
function runOf(names: string, conduct: Partial<Conduct> = {}, places: Record<string, string> = {}) {
  const hosts = names.split(" ");
  const conductor = new Conductor(hosts, { concurrency: 10, ...conduct });
  const seen: string[] = [];
  const say = (what: string) => void seen.push(what);
  const end = (host: string, outcome: Outcome) => {
    const result: HostResult = { host, outcome, next: [], durationMs: 0 };
    conductor.ended(result);
  };
  return {
    seen,
    /** What has been seen since the last call. */
    async news() {
      await settle();
      return seen.splice(0).join(" ");
    },
    end,
    connect: (host: string) => void conductor.connect(host).then(() => say(`${host}:connects`)),
    connectAll: () => {
      for (const host of hosts) void conductor.connect(host).then(() => say(`${host}:connects`));
    },
    ready: (...some: string[]) => {
      for (const host of some) {
        const place = places[host] ?? host;
        conductor.change({ host, plan: PLAN, place }).then(
          () => say(`${host}:changes`),
          (error: SyncCredsError) => {
            say(`${host}:${error.code}`);
            end(host, "not-attempted");
          },
        );
      }
    },
    proven: (host: string) =>
      void conductor.stays(host).then((stays) => say(`${host}:${stays ? "stays" : "goes back"}`)),
  };
}

describe("hosts", () => {
  test("connect no more at a time than may; a host that is looked at, or has ended, makes room", async () => {
    const run = runOf("a b c d", { concurrency: 2 });
    run.connectAll();
    expect(await run.news()).toBe("a:connects b:connects");
    run.end("a", "unreachable");
    expect(await run.news()).toBe("c:connects");
    run.ready("b");
    expect(await run.news()).toBe("d:connects");
  });

  test("are all looked at before the first one is changed", async () => {
    const run = runOf("a b c");
    run.connectAll();
    await run.news();
    run.ready("a");
    run.end("b", "unreachable");
    expect(await run.news()).toBe("");
    run.ready("c");
    expect(await run.news()).toBe("a:changes c:changes");
  });

  test("are changed no more at a time than may", async () => {
    const run = runOf("a b c", { concurrency: 2 });
    run.connectAll();
    run.ready("a", "b");
    await settle();
    run.ready("c");
    await run.news();
    run.end("a", "verified");
    expect(await run.news()).toBe("c:changes");
  });

  test("that are one host under two names are changed one after the other", async () => {
    const run = runOf("a b c", {}, { a: "x", b: "x" });
    run.connectAll();
    await run.news();
    run.ready("a", "b", "c");
    expect(await run.news()).toBe("a:changes c:changes");
    run.end("a", "verified");
    expect(await run.news()).toBe("b:changes");
  });

  test("that must be looked at once more keep their turn", async () => {
    const run = runOf("a");
    run.ready("a");
    expect(await run.news()).toBe("a:changes");
    run.ready("a");
    expect(await run.news()).toBe("a:changes");
  });
});

describe("consent", () => {
  test("is asked for once, with what is about to change, before the first change", async () => {
    const asked: string[][] = [];
    const consent = async (ready: readonly { host: string }[]) =>
      void asked.push(ready.map(({ host }) => host));
    const run = runOf("a b c", { consent });
    run.ready("c", "a");
    expect(await run.news()).toBe("");
    run.end("b", "unchanged");
    expect(await run.news()).toBe("a:changes c:changes");
    expect(asked).toEqual([["a", "c"]]);
  });

  test("that is not given stops everything", async () => {
    const consent = () => Promise.reject(new SyncCredsError("INTERRUPTED", "no"));
    const run = runOf("a b", { consent });
    run.ready("a", "b");
    expect(await run.news()).toBe("a:INTERRUPTED b:INTERRUPTED");
  });

  test("is not asked for where too many have failed already", async () => {
    let asked = 0;
    const consent = async () => void asked++;
    const run = runOf("a b", { consent, maxFailures: { count: 0 } });
    run.end("a", "unreachable");
    run.ready("b");
    expect(await run.news()).toBe("b:STOPPED");
    expect(asked).toBe(0);
  });

  test("is not asked for where nothing changes", async () => {
    let asked = 0;
    const consent = async () => void asked++;
    const run = runOf("a", { consent });
    run.end("a", "unchanged");
    await run.news();
    expect(asked).toBe(0);
  });
});

describe("waves", () => {
  const careful = { waves: parseWaves("1,2,100%") };

  test("follow each other, each when the former has come to its end", async () => {
    const run = runOf("a b c d e", careful);
    run.ready("a", "b", "c", "d", "e");
    expect(await run.news()).toBe("a:changes");
    run.end("a", "verified");
    expect(await run.news()).toBe("b:changes c:changes");
    run.end("b", "verified");
    expect(await run.news()).toBe("");
    run.end("c", "verified");
    expect(await run.news()).toBe("d:changes e:changes");
  });

  test("stop after one with a failure; what has not begun is not begun", async () => {
    const run = runOf("a b c", { canary: "b" });
    run.ready("a", "b", "c");
    expect(await run.news()).toBe("b:changes");
    run.end("b", "rolled-back");
    expect(await run.news()).toBe("a:STOPPED c:STOPPED");
  });

  test("are not stopped by a dead host, unless failures are counted", async () => {
    const dead = async (more: Partial<Conduct>) => {
      const run = runOf("a b c", { ...careful, ...more });
      run.end("a", "unreachable");
      run.ready("b", "c");
      return await run.news();
    };
    expect(await dead({})).toBe("b:changes");
    expect(await dead({ maxFailures: { count: 0 } })).toBe("b:STOPPED c:STOPPED");
    expect(await dead({ maxFailures: { count: 1 } })).toBe("b:changes");
    expect(await dead({ maxFailures: { count: 0 }, skipUnreachable: true })).toBe("b:changes");
  });

  test("do not begin unless the canary ends well, however many hosts may fail", async () => {
    const outcomes = ["rolled-back", "unreachable", "busy", "conflict"] as const;
    for (const outcome of outcomes) {
      const run = runOf("a b c", { canary: "b", maxFailures: { count: 2 } });
      run.ready("a", "c");
      run.end("b", outcome);
      expect(await run.news()).toBe("a:STOPPED c:STOPPED");
    }
  });

  test("begin without a canary that is out of reach only where such hosts are left out", async () => {
    const run = runOf("a b", { canary: "b", skipUnreachable: true });
    run.ready("a");
    run.end("b", "unreachable");
    expect(await run.news()).toBe("a:changes");
  });

  test("go on as long as no more have failed than may", async () => {
    const most = parseAmount("40%");
    const run = runOf("a b c d e", { waves: parseWaves("1"), ...(most && { maxFailures: most }) });
    run.ready("a", "b", "c", "d", "e");
    for (const [host, news] of [
      ["a", "b:changes"],
      ["b", "c:changes"],
      ["c", "d:STOPPED e:STOPPED"],
    ] as const) {
      await run.news();
      run.end(host, "rolled-back");
      expect(await run.news()).toBe(news);
      run.seen.length = 0;
    }
  });

  test("without any order one failure stops nobody", async () => {
    const run = runOf("a b", { concurrency: 1 });
    run.ready("a", "b");
    await run.news();
    run.end("a", "rolled-back");
    expect(await run.news()).toBe("b:changes");
  });
});

describe("an atomic run", () => {
  test("lets nobody stay before everybody is proven", async () => {
    const run = runOf("a b c", { atomic: true });
    run.ready("a", "b");
    run.end("c", "unchanged");
    await run.news();
    run.proven("a");
    expect(await run.news()).toBe("");
    run.proven("b");
    expect(await run.news()).toBe("a:stays b:stays");
  });

  test("sends everybody back when one fails, and begins no other", async () => {
    const run = runOf("a b c", { atomic: true, waves: parseWaves("2,100%") });
    run.ready("a", "b", "c");
    await run.news();
    run.proven("a");
    run.end("b", "rolled-back");
    expect(await run.news()).toBe("c:STOPPED a:goes back");
  });

  test("goes from wave to wave while the former ones wait for its end", async () => {
    const run = runOf("a b", { atomic: true, concurrency: 1 });
    run.ready("a", "b");
    expect(await run.news()).toBe("a:changes");
    run.proven("a");
    expect(await run.news()).toBe("b:changes");
    run.proven("b");
    expect(await run.news()).toBe("a:stays b:stays");
  });

  test("does not wait for a second name of a proven host, which is looked at once more after it", async () => {
    const run = runOf("a b c", { atomic: true }, { a: "x", b: "x" });
    run.ready("a", "b", "c");
    expect(await run.news()).toBe("a:changes c:changes");
    run.proven("a");
    run.proven("c");
    expect(await run.news()).toBe("a:stays c:stays");
    run.end("c", "verified");
    run.end("a", "verified");
    expect(await run.news()).toBe("b:changes");
  });

  test("begins nothing where a host is out of reach, unless those are left out", async () => {
    for (const [skipUnreachable, news] of [
      [false, "b:STOPPED"],
      [true, "b:changes"],
    ] as const) {
      const run = runOf("a b", { atomic: true, skipUnreachable });
      run.end("a", "unreachable");
      run.ready("b");
      expect(await run.news()).toBe(news);
    }
  });
});
