import type { Command } from "commander";
import type { Terminal } from "../output/terminal.ts";
import type { DoctorOptions } from "./doctor.ts";

/** The command `doctor`. */
export function addDoctorCommand(
  program: Command,
  terminal: Terminal,
  end: (status: number) => void,
): void {
  program
    .command("doctor [target...]")
    .description("find out why a wrapper does not answer: here and on hosts; changes nothing")
    .option("-c, --config <file>", "hosts.json to use")
    .option("--bundle <file>", "also write a redacted report for an issue tracker")
    .option(
      "--ask-claude",
      "also run `claude auth status` on the hosts; Claude Code may write files of its own there",
    )
    .option("--json", "NDJSON on stdout: events, then one result; never asks")
    .option("-v, --verbose", "what shows that all is well, stack traces included")
    .option("--no-input", "never ask")
    .addHelpText("after", DOCTOR_HELP)
    .action(async (names: string[], options: DoctorOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { doctor } = await import("./doctor.ts");
      end(await runLocally(options, terminal, (world) => doctor(names, options, world)));
    });
}

const DOCTOR_HELP = `
Without a target it looks at this laptop; on a terminal you may pick hosts as well. The wrapper is asked one question.
Exit status: 0 nothing found · 4 the login of this laptop · 10 a host has a problem · 12 unreachable only
  13 another run is at work there · 14 drift, or something outranks the login · 15 ends soon`;
