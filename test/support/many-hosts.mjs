// A run of two hundred made-up hosts, drawn on the terminal as a push draws it, then reported.
import { openTaskList } from "../../build/output/task-list.js";
import { renderReport } from "../../build/output/report.js";

const STEPS = ["connect", "probe", "plan", "install", "restart", "smoke", "commit"];
const GOOD = { outcome: "verified", fingerprint: "1a2b3c4d" };
const BAD = {
  outcome: "rolled-back",
  code: "token-expired",
  what: "its login is over",
  logTail: ["CANARY of the log"],
};
const names = Array.from({ length: 200 }, (_, at) => `web-${at + 1}`);
const view = openTaskList(names, process.stderr);

const results = await Promise.all(
  names.map(async (host, at) => {
    await pause(at * 8);
    for (const step of STEPS) {
      view.show({ type: "step", host, step, at: Date.now() });
      await pause(10);
    }
    const bad = at === 100 || at === 150;
    const result = Object.assign({ host, next: [], durationMs: 70 }, bad ? BAD : GOOD);
    view.show({ type: "host", result, at: Date.now() });
    return result;
  }),
);
await view.close();
process.stdout.write(renderReport(results, Date.now(), (_style, text) => text));

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
