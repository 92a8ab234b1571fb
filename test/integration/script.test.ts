import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { renderCommand } from "../../src/remote/command-line.ts";
import { renderScript } from "../../src/remote/frames.ts";
import { SCRIPT_FILES } from "../../src/remote/script.ts";

const SOURCE = SCRIPT_FILES.map((path) => readFileSync(path, "utf8")).join("\n");
const SENT = renderScript(SOURCE);

const run = (program: string, argv: string[], input: string) =>
  spawnSync(program, argv, { input, encoding: "utf8", timeout: 20_000 });
const hasBash = run("bash", ["-c", ":"], "").status === 0;

describe("the script as it is sent", () => {
  test("is valid where the one that people read is", () => {
    for (const script of [SOURCE, SENT]) {
      expect(run("/bin/sh", ["-n"], script)).toMatchObject({ status: 0, stderr: "" });
    }
  });

  // Inside a quoted text indentation and comments are lost: awk and perl do not mind.
  test.skipIf(!hasBash)("means the same: bash understands both alike", () => {
    const [read, sent] = [SOURCE, SENT].map((script) =>
      run("bash", ["--posix"], `all() {\n${script}\n}\ndeclare -f all\n`).stdout.replace(
        /^(?:\s+|#.*\n)+/gm,
        "",
      ),
    );
    expect(read).toContain("take_lock");
    expect(sent).toBe(read);
  });

  test("is pure ASCII, so that no locale can count it differently", () => {
    expect(SENT).toMatch(/^[\t\n\x20-\x7e]*$/);
  });

  test("is much shorter", () => {
    expect(SENT.length).toBeLessThan(SOURCE.length * 0.9);
  });
});

test("the command line reads exactly the script, and leaves the rest of its input to it", () => {
  const script = 'read -r line; printf "%s|" "$line"; cat';
  const { stdout, status } = run("/bin/sh", ["-c", renderCommand(script)], `${script}first\nrest`);
  expect([status, stdout]).toEqual([0, "first|rest"]);
});

test("a script that was cut short is not run", () => {
  const script = "echo begun; echo ended";
  const { stdout } = run("/bin/sh", ["-c", renderCommand(`${script}${" ".repeat(9)}`)], "");
  expect(stdout).toBe("");
});
