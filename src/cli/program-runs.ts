import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import type { Terminal } from "../output/terminal.ts";
import type { FleetOptions } from "./fleet.ts";
import type { HistoryOptions } from "./history.ts";
import { toTargets } from "./program-targets.ts";

/** What runs have left behind: their lines in the ledger, and a lock that one holds. */
export function addRunsCommands(
  program: Command,
  terminal: Terminal,
  end: (status: number) => void,
): void {
  program
    .command("history [target...]")
    .description("what this laptop has done to hosts: when, how it ended, with which fingerprint")
    .option("-c, --config <file>", "hosts.json to use")
    .option("--run <id>", "only that run; the beginning of its id will do")
    .option("-n, --last <n>", "so many entries, the newest; 50 unless told", parseLast)
    .option("--json", "all entries, or the last n, in one result line on stdout")
    .option("-v, --verbose", "stack traces included")
    .addHelpText("after", HISTORY_HELP)
    .action(async (names: string[], options: HistoryOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { history } = await import("./history.ts");
      end(await runLocally(options, terminal, (world) => history(names, options, world)));
    });

  toTargets(program.command("unlock <target...>"))
    .description("show which run holds a host's lock, and end it; asks")
    .option("-y, --yes", "answer yes to the questions of this command")
    .action(async (names: string[], options: FleetOptions) => {
      const { unlock } = await import("./unlock.ts");
      end(await unlock(names, options, terminal));
    });
}

function parseLast(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 on.");
}

const HISTORY_HELP = `
A target is a host, a group, \`tag:NAME\`, a pattern, \`all\`, or a name that hosts.json no longer has. Without hosts.json
it is a name or a pattern.`;
