import { SCHEMA_VERSION } from "../outcome.ts";
import type { RunEvent } from "../outcome.ts";
import type { Stream } from "./terminal.ts";
import { renderEnding, STEP_LABEL } from "./view.ts";
import type { View } from "./view.ts";

/** How much the plain lines tell: `quiet` leaves the steps out, `verbose` says when each thing happened. */
export type Detail = "quiet" | "usual" | "verbose";

/** One line per event on `stream`: for pipes, logs, dumb terminals, and for whoever wants to see it all. */
export function openPlainLines(stream: Stream, detail: Detail): View {
  let startedAt: number | undefined;
  const show = (event: RunEvent) => {
    if (detail === "quiet" && event.type === "step") return;
    startedAt ??= event.at;
    const seconds = ((event.at - startedAt) / 1000).toFixed(2).padStart(6);
    stream.write(`${detail === "verbose" ? `${seconds} s  ` : ""}${renderLine(event)}\n`);
  };
  return { show, pause: () => {}, resume: async () => {}, close: async () => {} };
}

/** Each event as one line of JSON on `stream`. */
export function openJsonLines(stream: Stream): View {
  const show = ({ type, ...rest }: RunEvent) => {
    stream.write(`${JSON.stringify({ type, schemaVersion: SCHEMA_VERSION, ...rest })}\n`);
  };
  return { show, pause: () => {}, resume: async () => {}, close: async () => {} };
}

function renderLine(event: RunEvent): string {
  switch (event.type) {
    case "step":
      return `${event.host}: ${STEP_LABEL[event.step]}`;
    case "note":
      return event.host === undefined ? event.text : `${event.host}: ${event.text}`;
    case "host":
      return `${event.result.host}: ${renderEnding(event.result)}`;
  }
}
