import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type * as Program from "./cli/program.ts";
import type { Terminal } from "./output/terminal.ts";

/**
 * Runs one command line; resolves with the exit status. It loads only what the command needs: `--version` and
 * `--help` nothing, a push what a push takes.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process;
  for (const stream of [stdout, stderr]) stream.on("error", passOverClosedPipe);
  if (argv.length === 1 && ["--version", "-V", "version"].includes(argv[0] ?? "")) {
    stdout.write(`${readVersion()}\n`);
    return 0;
  }
  if (argv.length === 1 && ["--help", "-h", "help"].includes(argv[0] ?? "")) {
    const help = readBuiltHelp();
    if (help !== undefined) {
      stdout.write(help);
      return 0;
    }
  }
  const terminal: Terminal = { stdout, stderr, env };
  const built = fileURLToPath(new URL("program.cjs", import.meta.url));
  if (!existsSync(built)) {
    const { runProgram } = await import("./cli/program.ts");
    return await runProgram(argv, terminal, readVersion);
  }
  const { loadCompiled } = await import("./compiled.ts");
  const program = loadCompiled<typeof Program>(built, argv[0] ?? "help");
  const { runProgram } = program.exports;
  const status = await runProgram(argv, terminal, readVersion);
  program.keep();
  return status;
}

/** Whoever reads may have heard enough (`| head -1`): a push goes on to its end all the same. */
function passOverClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const manifest: { version: string } = JSON.parse(text);
  return manifest.version;
}

/** The help text as the build has rendered it, so that showing it needs no parser; undefined in a build without. */
function readBuiltHelp(): string | undefined {
  try {
    return readFileSync(new URL("help.txt", import.meta.url), "utf8");
  } catch {
    return undefined;
  }
}
