import { expect, test } from "vitest";
import { renderPurpose, switchIn, wordsFor } from "../../src/purpose.ts";
import type { Purpose } from "../../src/purpose.ts";

test.each<[string, Purpose, string | undefined]>([
  ["push", { kind: "push" }, undefined],
  ["failover on", { kind: "failover", to: "on" }, undefined],
  ["failover off", { kind: "failover", to: "off" }, undefined],
  ["switch fallback on", { kind: "switch", name: "fallback", to: "on" }, "fallback"],
  ["switch off off", { kind: "switch", name: "off", to: "off" }, "off"],
  ["rollback", { kind: "restore" }, undefined],
])("the host keeps it as one line: %s", (line, purpose, name) => {
  expect(renderPurpose(purpose)).toBe(line);
  expect(switchIn(line)).toBe(name);
  expect(wordsFor(purpose).fresh).not.toBe(wordsFor(purpose).former);
});
