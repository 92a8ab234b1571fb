// Reads a file again and again, as fast as it can, until it is told to stop; then tells what it has seen:
// how often it looked, every distinct content and mode, and every failure (an absent file is one).
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

const [, , path] = process.argv;
const contents = new Set();
const modes = new Set();
const failures = new Set();
let observations = 0;
let isOver = false;

process.on("message", () => {
  isOver = true;
});
look();

function look() {
  for (let left = 50; left > 0; left--) {
    observations += 1;
    try {
      const file = openSync(path, "r");
      modes.add(fstatSync(file).mode.toString(8));
      contents.add(readFileSync(file, "utf8"));
      closeSync(file);
    } catch (error) {
      failures.add(error.code);
    }
  }
  if (!isOver) return void setImmediate(look);
  process.send(
    { observations, contents: [...contents], modes: [...modes], failures: [...failures] },
    () => process.disconnect(),
  );
}
