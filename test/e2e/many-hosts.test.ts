import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { entryOf } from "../support/host-state.ts";
import { freePort, hasSshd } from "../support/sshd.ts";
import { openStage } from "../support/stage.ts";
import { hasScript, openProgram, openTerminal } from "../support/terminal.ts";

const MANY = fileURLToPath(new URL("../support/many-hosts.mjs", import.meta.url));
const ROWS = 40;

/** How many lines the display takes back at once: it may never be more than the terminal has, or it would scroll away. */
function mostLinesErased(raw: string): number {
  // oxlint-disable-next-line no-control-regex -- it is the sequence that erases a line and goes up
  const runs = raw.match(/(?:\u001b\[2K(?:\u001b\[1A)?)+/g) ?? [];
  return Math.max(0, ...runs.map((run) => run.split("\u001b[2K").length - 1));
}

describe.skipIf(!hasScript)("two hundred hosts on a terminal", () => {
  test("never fill more lines than it has; failures and their logs come once, at the end", async () => {
    const terminal = openProgram([process.execPath, MANY]);

    await terminal.shows(/\d+\/200 done/);
    expect(await terminal.ended).toBe(0);

    const raw = terminal.raw();
    expect(mostLinesErased(raw)).toBeGreaterThan(3);
    expect(mostLinesErased(raw)).toBeLessThanOrEqual(ROWS);
    const plain = stripVTControlCharacters(raw);
    expect(plain).toContain("200/200 done, 2 failed");
    expect(plain.split("CANARY of the log")).toHaveLength(2);
    const closing = plain.slice(plain.indexOf("HOST "));
    expect(
      closing
        .trimEnd()
        .split("\n")
        .map((line) => line.trim().split(/ {2,}/)[0]),
    ).toEqual([
      "HOST",
      "web-101",
      "web-151",
      "198 hosts",
      "",
      "✖ web-101, web-151: its login is over",
      "log",
    ]);
  });
});

describe.skipIf(!hasSshd || !hasScript)(
  "fifty hosts on a terminal, all but one of them dead",
  () => {
    test("share the screen; the dead ones head the table and share a block", async () => {
      await using stage = await openStage({ running: true });
      const entry = entryOf(stage);
      const dead = { ...entry, ssh: `${stage.sshd.user}@127.0.0.1:${await freePort()}` };
      const hosts = Object.fromEntries(
        Array.from({ length: 50 }, (_, at) => [`web-${at}`, at === 20 ? entry : dead]),
      );
      writeFileSync(stage.hostsJson, JSON.stringify({ hosts }));

      const terminal = openTerminal(stage, ["push", "all", "--yes"]);

      expect(await terminal.ended).toBe(12);
      expect(mostLinesErased(terminal.raw())).toBeLessThanOrEqual(ROWS);
      const plain = stripVTControlCharacters(terminal.raw());
      expect(plain).toContain("50/50 done, 49 failed");
      const rows = plain.slice(plain.indexOf("HOST ")).split("\n").slice(1, 51);
      expect(rows.findIndex((row) => row.startsWith("web-20 "))).toBe(49);
      expect(plain).toMatch(/✖ web-0, web-1, web-2, web-3 and 45 more: /);
    });
  },
);
