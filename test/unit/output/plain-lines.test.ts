import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { RunEvent, Step } from "../../../src/outcome.ts";
import { openJsonLines, openPlainLines } from "../../../src/output/plain-lines.ts";
import { STEP_LABEL } from "../../../src/output/view.ts";
import type { View } from "../../../src/output/view.ts";

const EVENTS: RunEvent[] = [
  { type: "note", text: "credentials 1a2b3c4d", at: 1 },
  { type: "step", host: "web-1", step: "connect", at: 2 },
  { type: "note", host: "web-1", text: "its key is new", at: 3 },
  {
    type: "host",
    result: { host: "web-1", outcome: "verified", next: [], durationMs: 4249 },
    at: 4,
  },
  {
    type: "host",
    result: { host: "web-2", outcome: "busy", what: "it is locked", next: [], durationMs: 0 },
    at: 5,
  },
];

/** All that a view writes for the events. */
async function written(open: (stream: Writable) => View): Promise<string> {
  let text = "";
  const view = open(
    new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    }),
  );
  for (const event of EVENTS) {
    view.show(event);
    view.pause();
    await view.resume();
  }
  await view.close();
  return text;
}

describe("plain lines", () => {
  test("tell every event on a line of its own", async () => {
    expect(await written((stream) => openPlainLines(stream, "usual"))).toBe(
      `credentials 1a2b3c4d
web-1: connecting
web-1: its key is new
web-1: verified (4.2 s)
web-2: busy: it is locked (0.0 s)
`,
    );
  });

  test("when quiet leave out the steps", async () => {
    expect(await written((stream) => openPlainLines(stream, "quiet"))).toBe(
      `credentials 1a2b3c4d
web-1: its key is new
web-1: verified (4.2 s)
web-2: busy: it is locked (0.0 s)
`,
    );
  });

  test("when verbose say how long after the first each thing happened", async () => {
    const lines = (await written((stream) => openPlainLines(stream, "verbose"))).split("\n");
    expect(lines[0]).toBe("  0.00 s  credentials 1a2b3c4d");
    expect(lines.slice(0, -1)).toEqual(
      lines.slice(0, -1).map(() => expect.stringMatching(/^ {1,5}\d+\.\d\d s  \S/)),
    );
  });
});

test("JSON lines are the events themselves, each with the version of the schema", async () => {
  const lines = (await written(openJsonLines)).trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(
    EVENTS.map((event) => Object.assign({ schemaVersion: 1 }, event)),
  );
});

test("every step has words of its own", () => {
  const labels = Object.values<string>(STEP_LABEL);
  const steps: Step[] = ["connect", "probe", "plan", "recover", "install", "restart", "smoke"];
  expect(Object.keys(STEP_LABEL)).toEqual([...steps, "commit", "rollback"]);
  expect(new Set(labels).size).toBe(labels.length);
});
