import { readFileSync } from "node:fs";
import type { Terminal } from "./output/terminal.ts";

/**
 * Runs one command line; resolves with the exit status. It loads only what the command needs: `--version` nothing,
 * `--help` the parser, a push what a push takes.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process;
  if (argv.length === 1 && ["--version", "-V", "version"].includes(argv[0] ?? "")) {
    stdout.write(`${readVersion()}\n`);
    return 0;
  }
  const terminal: Terminal = { stdout, stderr, env };
  const { runProgram } = await import("./cli/program.ts");
  return runProgram(argv, terminal, readVersion);
}

function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const manifest: { version: string } = JSON.parse(text);
  return manifest.version;
}
