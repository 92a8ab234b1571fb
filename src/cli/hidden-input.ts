import { SyncCredsError } from "../errors.ts";
import type { Stream } from "../output/terminal.ts";

/**
 * Asks at the terminal, without echo, for text that may have many lines: a paste ends where the terminal says so, and
 * where it does not, with the first silence after a line break. So none of its lines is left over for the shell.
 * Error: `INTERRUPTED` at Ctrl-C, or when the terminal goes.
 */
export function readHiddenPaste(question: string, output: Stream): Promise<string> {
  const input = process.stdin;
  return new Promise((resolve, reject) => {
    let keys = "";
    let silence: NodeJS.Timeout | undefined;
    const settle = (conclude: () => void) => {
      clearTimeout(silence);
      input.off("data", onKeys).off("end", onEnd).pause();
      input.setRawMode(false);
      output.write(`${PASTE_MARKS_OFF}\n`);
      conclude();
    };
    const onEnd = () => settle(() => reject(interrupted()));
    const onDone = () => settle(() => resolve(textOf(keys)));
    const onKeys = (typed: string) => {
      keys += typed;
      clearTimeout(silence);
      if (keys.includes(CTRL_C)) return onEnd();
      if (keys.includes(CTRL_D) || keys.length > LONGEST) return onDone();
      const behind = keys.slice(keys.lastIndexOf(PASTE_START) + 1);
      const isPasting = keys.includes(PASTE_START) && !behind.includes(PASTE_END);
      if (isPasting) return;
      const sincePaste = keys.slice(keys.lastIndexOf(PASTE_END) + 1);
      if (!/[\r\n]/.test(sincePaste)) return;
      if (keys.includes(PASTE_END)) return onDone();
      silence = setTimeout(onDone, SILENCE_MS);
    };
    output.write(`? ${question} ${PASTE_MARKS_ON}`);
    input.setRawMode(true);
    input.setEncoding("utf8").on("data", onKeys).on("end", onEnd).resume();
  });
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const PASTE_MARKS_ON = "\u001B[?2004h";
const PASTE_MARKS_OFF = "\u001B[?2004l";
const PASTE_START = "\u001B[200~";
const PASTE_END = "\u001B[201~";
const SILENCE_MS = 300;
/** Nobody pastes more on purpose. */
const LONGEST = 4 * 1024 * 1024;

/** What the keys amount to: Backspace and Ctrl-U have taken back what they take back. */
function textOf(keys: string): string {
  const marks = [PASTE_START, PASTE_END, CTRL_D];
  const typed = marks.reduce((rest, mark) => rest.replaceAll(mark, ""), keys);
  let text = "";
  for (const key of typed.replace(/\r\n?/g, "\n")) {
    if (key === "\u007F" || key === "\b") text = text.slice(0, -1);
    else if (key === "\u0015") text = text.slice(0, text.lastIndexOf("\n") + 1);
    else text += key;
  }
  return text;
}

function interrupted(): SyncCredsError {
  return new SyncCredsError("INTERRUPTED", "interrupted at a question");
}
