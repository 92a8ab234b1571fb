import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findLeaks, randomSecret, tracesBelow } from "../support/canaries.ts";
import { expectProven } from "../support/host-state.ts";
import { openLaptop } from "../support/laptop.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, startCli, tokens } from "../support/stage.ts";

const HOSTS = JSON.stringify({
  hosts: {
    "web-1": {
      ssh: "deploy@web-1.example.com",
      restart: { kind: "none" },
      wrapper: { url: "http://127.0.0.1:8000", chat: { preset: "chat" } },
    },
  },
});
const AS_BY_CUSTOM = { XDG_CACHE_HOME: "" };

/** A laptop on which `hosts list` works; what it prints. */
function openWithHosts() {
  const laptop = openLaptop();
  writeFileSync(join(laptop.laptop, "hosts.json"), HOSTS, { mode: 0o600 });
  const file = join(laptop.laptop, ".cache", "sync-creds", "hosts.compiled");
  const list = async (env: NodeJS.ProcessEnv = AS_BY_CUSTOM) => {
    const { code, stdout, stderr } = await laptop.run(["hosts", "list"], "", env);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("web-1.example.com");
  };
  return { laptop, file, list, [Symbol.dispose]: () => laptop[Symbol.dispose]() };
}

describe("what V8 has compiled of the program", () => {
  test("is kept for the next run, for its owner alone, and used by it", async () => {
    using scene = openWithHosts();
    await scene.list();
    const kept = statSync(scene.file);
    expect(kept.mode & 0o777).toBe(0o600);
    expect(kept.size).toBeGreaterThan(100_000);
    await scene.list();
    expect(statSync(scene.file).ino).toBe(kept.ino);
    expect(readdirSync(join(scene.file, ".."))).toEqual(["hosts.compiled"]);
  });

  test("is made anew where it is damaged, wherever that is", async () => {
    using scene = openWithHosts();
    await scene.list();
    const whole = readFileSync(scene.file);
    const key = whole.indexOf(10);
    for (let part = 0; part < 8; part++) {
      const damaged = Buffer.from(whole);
      const at = Math.floor(((part + 0.5) / 8) * whole.length);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      writeFileSync(scene.file, part === 7 ? damaged.subarray(0, at) : damaged);
      await scene.list();
      expect(readFileSync(scene.file).subarray(0, key)).toEqual(whole.subarray(0, key));
      expect(readFileSync(scene.file).length).toBeGreaterThan(whole.length / 2);
      expect(readFileSync(scene.file)).not.toEqual(damaged);
    }
  });

  test.each([
    ["others could have written it", ({ file }: { file: string }) => chmodSync(file, 0o666)],
    [
      "it is of another program",
      ({ file }: { file: string }) => {
        const bytes = readFileSync(file, "latin1");
        writeFileSync(file, bytes.replace(/ \d+\n/, " 1\n"), "latin1");
      },
    ],
  ])("is not used where %s", async (_, change) => {
    using scene = openWithHosts();
    await scene.list();
    change(scene);
    const before = statSync(scene.file);
    await scene.list();
    expect(statSync(scene.file).ino).not.toBe(before.ino);
    expect(statSync(scene.file).mode & 0o777).toBe(0o600);
  });

  test("is written to no file that another has put in its way", async () => {
    using scene = openWithHosts();
    const theirs = join(scene.laptop.laptop, "theirs");
    writeFileSync(theirs, "as it was");
    mkdirSync(join(scene.file, ".."), { recursive: true });
    symlinkSync(theirs, `${scene.file}.new`);
    await scene.list();
    expect(readFileSync(theirs, "utf8")).toBe("as it was");
    expect(statSync(scene.file).mode & 0o777).toBe(0o600);
  });

  test("is not kept where the user wants none, and where there is no place for it", async () => {
    using scene = openWithHosts();
    await scene.list({ ...AS_BY_CUSTOM, NODE_DISABLE_COMPILE_CACHE: "1" });
    await scene.list({ XDG_CACHE_HOME: "/proc/nowhere" });
    const { laptop } = scene.laptop;
    mkdirSync(join(laptop, "elsewhere"));
    symlinkSync("/proc/nowhere", join(laptop, "elsewhere", "sync-creds"));
    await scene.list({ XDG_CACHE_HOME: join(laptop, "elsewhere") });
    expect(readdirSync(laptop).sort()).toEqual(["elsewhere", "hosts.json"]);
  });

  test.skipIf(!hasSshd)("holds nothing of the run that has made it", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other), running: true });
    const secret = randomSecret();
    const token = `sk-ant-oat01-CANARYgood-${secret}`;
    stage.logIn(token);
    const cache = join(stage.laptop, "cache");
    const env = { HOME: stage.laptop, PATH: process.env["PATH"], XDG_CACHE_HOME: cache };
    await expectProven(stage, await startCli(PUSH, stage.laptop, env).ended, token);
    const traces = tracesBelow(cache);
    expect(traces.map(({ where }) => where)).toEqual(["sync-creds/push.compiled"]);
    expect(findLeaks(traces, { secret })).toEqual([]);
  });
});
