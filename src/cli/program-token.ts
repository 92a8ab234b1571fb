import type { Command } from "commander";
import type { Terminal } from "../output/terminal.ts";
import type { LocalOptions } from "./local-command.ts";
import type { SetOptions } from "./token-set.ts";

/** The commands below `token`. */
export function addTokenCommands(
  token: Command,
  terminal: Terminal,
  end: (status: number) => void,
): void {
  common(token.command("set <name>"))
    .description("store a token from a pipe or a hidden prompt; no option ever takes one")
    .option("--issued <day>", "when it was issued, YYYY-MM-DD; today unless told")
    .option("-y, --yes", "replace the token of that name without asking")
    .option("--no-input", "never ask; the token must come through a pipe")
    .addHelpText("after", SET_HELP)
    .action(async (name: string, options: SetOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { setToken } = await import("./token-set.ts");
      end(await runLocally(options, terminal, (world) => setToken(name, options, world)));
    });

  common(token.command("list"))
    .description("show names, kinds, fingerprints, ages and what is left; never a token")
    .action(async (options: LocalOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { listTokens } = await import("./token-list.ts");
      end(await runLocally(options, terminal, (world) => listTokens(options, world)));
    });

  common(token.command("remove <name>"))
    .description("remove a token from where it is stored")
    .action(async (name: string, options: LocalOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { removeToken } = await import("./token-remove.ts");
      end(await runLocally(options, terminal, (world) => removeToken(name, options, world)));
    });
}

function common(command: Command): Command {
  return command
    .option("--json", "one result line on stdout; never asks")
    .option("-v, --verbose", "stack traces included");
}

const SET_HELP = `
The whole output of \`claude setup-token\` will do, as will a bare token, an API key or a wrapper's bearer.
SYNC_CREDS_TOKEN_STORE says where it is kept: keychain, file, or auto (the keychain if there is one, and no SSH session).`;
