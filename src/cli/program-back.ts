import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import type { Terminal } from "../output/terminal.ts";
import type { BackupsOptions } from "./backups.ts";
import type { FailoverOptions } from "./failover.ts";
import type { FleetOptions } from "./fleet.ts";
import { changing, toTargets } from "./program-targets.ts";
import type { RollbackOptions } from "./rollback.ts";

/** The ways back and the ways round: former credentials, the backup key, another provider. */
export function addBackCommands(
  program: Command,
  terminal: Terminal,
  end: (status: number) => void,
): void {
  changing(program.command("rollback <target...>"))
    .description("put hosts back as they were before the last change, restart, verify")
    .option("--to <id>", "as they were before that change; `backups` shows the ids")
    .option("--force", "restore a dead login, or over what somebody else has changed since")
    .addHelpText("after", ROLLBACK_HELP)
    .action(async (names: string[], options: RollbackOptions) => {
      const { rollback } = await import("./rollback.ts");
      end(await rollback(names, options, terminal));
    });

  toTargets(program.command("backups <target...>"))
    .description("list what hosts keep of earlier changes, by date and fingerprint; or prune it")
    .option("--prune", "remove all but the newest one of credentials; asks")
    .option("--keep <n>", "how many --prune leaves: 1 unless told, 0 for none", parseKeep)
    .option("-y, --yes", "answer yes to the questions of this command")
    .action(async (names: string[], options: BackupsOptions) => {
      const { backups } = await import("./backups.ts");
      end(await backups(names, options, terminal));
    });

  changing(program.command("switch <words...>"))
    .usage("[options] <target...> <name> <on|off>")
    .description("turn a text edit of hosts.json on or off: edit, restart, verify, or go back")
    .addHelpText("after", SWITCH_HELP)
    .action(async (words: string[], options: FleetOptions) => {
      const { turnSwitch } = await import("./switch.ts");
      end(await turnSwitch(words, options, terminal));
    });

  changing(program.command("failover <target...>"))
    .description("to the backup API key that lies ready on the host, and back")
    .option("--back", "from the API key to the host's own login again")
    .option("--clear-shadows", "remove what outranks the key on a host, in the same transaction")
    .addHelpText("after", FAILOVER_HELP)
    .action(async (names: string[], options: FailoverOptions) => {
      const { failover } = await import("./failover.ts");
      end(await failover(names, options, terminal));
    });
}

function parseKeep(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 5) return count;
  throw new InvalidArgumentError("It must be a whole number from 0 to 5.");
}

const ROLLBACK_HELP = `
Every file that the change, or a later one, has touched is put back. A rollback leaves a backup too: the next rollback
takes it back. Switches are turned by \`switch\` only.`;

const SWITCH_HELP = `
NAME stands in \`switches\` of hosts.json: a file on the host, the text to find in it exactly once, and the text to put.
Example: sync-creds switch prod fallback on`;

const FAILOVER_HELP = `
For hosts with \`"backup": "api-key"\`, after a push has put the key there. The login of this laptop is not needed. A later
push ends it.`;
