import type { RunEvent } from "../outcome.ts";
import type { Stream } from "./terminal.ts";
import { renderEnding, STEP_LABEL } from "./view.ts";
import type { View } from "./view.ts";

/** One line per event on `stream`: for pipes, logs and dumb terminals. */
export function openPlainLines(stream: Stream, quiet: boolean): View {
  const show = (event: RunEvent) => {
    if (quiet && event.type === "step") return;
    stream.write(`${renderLine(event)}\n`);
  };
  return { show, pause: () => {}, resume: async () => {}, close: async () => {} };
}

/** Each event as one line of JSON on `stream`. */
export function openJsonLines(stream: Stream): View {
  const show = (event: RunEvent) => void stream.write(`${JSON.stringify(event)}\n`);
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
