import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { expectEventLines } from "../support/event-lines.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";

describe.skipIf(!hasSshd)("every line of --json is as docs/events.schema.json says", () => {
  test("of a push, a plan, a rollback, the backups, and an unlock", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other), running: true });
    for (const [status, ...argv] of [
      [0, "plan", "web-1"],
      [0, "push", "web-1"],
      [0, "push", "web-1"],
      [0, "backups", "web-1"],
      [0, "rollback", "web-1"],
      [0, "unlock", "web-1"],
    ] as const) {
      const ended = await stage.run(...argv, "--json");
      expect([argv[0], ended.code]).toEqual([argv[0], status]);
      expectEventLines(ended.stdout);
    }
  });

  test("of a push that fails, with the end of the wrapper's log", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other), running: true });
    stage.configure({ restart: { kind: "command", restart: "echo broken >&2; exit 7" } });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result.outcome).toMatch(/^(?:rolled-back|rollback-failed)$/);
    expectEventLines(ended.stdout);
  });

  test("of a push that ends before any host", async () => {
    await using stage = await openStage({ running: true });
    rmSync(stage.laptopFile);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(4);
    expectEventLines(ended.stdout);
  });

  test("and the command prints that schema", async () => {
    await using stage = await openStage();

    const { stdout } = await stage.run("schema", "--events");

    expect(JSON.parse(stdout)).toMatchObject({ title: expect.stringContaining("--json") });
  });
});
