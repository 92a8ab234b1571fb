import { existsSync, lstatSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { expectProven } from "./host-state.ts";
import { processesNaming } from "./processes.ts";
import { tokens } from "./stage.ts";
import type { Ended, Stage } from "./stage.ts";
import { until } from "./until.ts";

/** The old file is whole, byte for byte and 0600 (or absent as before), and the run left no trace. */
export async function expectOldWhole(
  hostFile: string,
  before: string | Buffer | undefined,
): Promise<void> {
  expect(existsSync(hostFile)).toBe(before !== undefined);
  if (before !== undefined) {
    expect(readFileSync(hostFile).equals(Buffer.from(before))).toBe(true);
    expect(modeOf(hostFile)).toBe("600");
  }
  await expectNoTraces(dirname(hostFile));
}

/** The laptop's login is in place without its refresh token, the wrapper proved it, and the run left no trace. */
export async function expectNewProven(stage: Stage, ended: Ended): Promise<void> {
  await expectNoTraces(dirname(stage.hostFile));
  await expectProven(stage, ended, tokens.good);
  expect(readFileSync(stage.hostFile, "utf8")).not.toContain(tokens.refresh);
}

/** No staged file, no change under way, no lock; the dead-man switch of the run is gone, or goes within a moment. */
export async function expectNoTraces(configDir: string): Promise<void> {
  const folder = join(configDir, ".sync-creds");
  const beside = existsSync(configDir) ? readdirSync(configDir) : [];
  expect(beside.filter((name) => name.includes(".sync-creds-"))).toEqual([]);
  await until("the remote half has left", () => leftovers(folder).length === 0);
  await until(
    "the watch process is gone",
    () => processesNaming(join(folder, "pending/script")).length === 0,
  );
  expect(leftovers(folder)).toEqual([]);
}

/** What a run may keep in its folder on the host: committed backups, the history, the wrapper's pid file, what a delivery has brought. */
function leftovers(folder: string): string[] {
  if (!existsSync(folder)) return [];
  expect(modeOf(folder)).toBe("700");
  const kept = /^(?:backups|history|wrapper-\d+\.pid|wrapper\.env|api-key(?:\.sh)?)$/;
  return readdirSync(folder).filter((name) => !kept.test(name));
}

/** Permission bits in octal. */
export function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}
