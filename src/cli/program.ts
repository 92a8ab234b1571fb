import { Command, CommanderError, Option } from "commander";
import type { Terminal } from "../output/terminal.ts";
import type { LocalOptions } from "./local-command.ts";
import { addBackCommands } from "./program-back.ts";
import { addDoctorCommand } from "./program-doctor.ts";
import { addHostsCommands } from "./program-hosts.ts";
import { addRunsCommands } from "./program-runs.ts";
import { changing, toTargets } from "./program-targets.ts";
import { addTokenCommands } from "./program-token.ts";
import type { PushOptions } from "./push.ts";

/** Parses a command line and runs its command; resolves with the exit status. The only place that knows commander. */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal,
  readVersion: () => string,
): Promise<number> {
  let status = 0;
  const program = createProgram(terminal, (code) => (status = code)).version(readVersion());
  try {
    await program.parseAsync(argv, { from: "user" });
    return status;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    throw thrown;
  }
}

/** The text of `--help`, 80 columns wide; the build keeps it beside `main.js`. */
export function renderHelp(): string {
  let text = "";
  createProgram({ stdout: process.stdout, stderr: process.stderr, env: {} }, () => {})
    .version("")
    .configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 })
    .outputHelp();
  return text;
}

function createProgram(terminal: Terminal, end: (status: number) => void): Command {
  const program = new Command("sync-creds")
    .description(
      "Put your Claude credentials on your own hosts over SSH, restart the wrapper, prove that it answers.",
    )
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .exitOverride()
    .showHelpAfterError("Run `sync-creds --help` for the commands.")
    .addHelpText("after", EXIT_HELP);

  pushing(changing(program.command("push [target...]")))
    .description(
      "push to hosts: install, restart, verify by a chat request, or put everything back",
    )
    .option("--resume", "only hosts that are not known as verified with this login")
    .addOption(
      new Option(
        "--refresh <when>",
        "let Claude Code renew a login that is due: auto, or never; asked on a terminal",
      ).choices(["auto", "never"]),
    )
    .action(async (names: string[], options: PushOptions) => {
      const { push } = await import("./push.ts");
      end(await push(names, options, terminal));
    });

  pushing(toTargets(program.command("plan [target...]")))
    .description("the same as push --dry-run")
    .action(async (names: string[], options: PushOptions) => {
      const { push } = await import("./push.ts");
      end(await push(names, { ...options, dryRun: true }, terminal));
    });

  addBackCommands(program, terminal, end);
  addDoctorCommand(program, terminal, end);
  addRunsCommands(program, terminal, end);

  addHostsCommands(
    program.command("hosts").description("list, add and import the hosts of hosts.json"),
    terminal,
    end,
  );

  program
    .command("refresh")
    .description("let the installed Claude Code renew the login of this laptop")
    .option("--json", "one result line on stdout")
    .option("-v, --verbose", "stack traces included")
    .action(async (options: LocalOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { refresh } = await import("./refresh.ts");
      end(await runLocally(options, terminal, (world) => refresh(options, world)));
    });

  addTokenCommands(
    program.command("token").description("store, list and remove tokens, kept in the keychain"),
    terminal,
    end,
  );

  program
    .command("schema")
    .description("print the JSON Schema of hosts.json, for editors")
    .option("--events", "that of the lines of --json instead")
    .action(async ({ events = false }: { readonly events?: boolean }) => {
      if (events) {
        const { renderEventsSchema } = await import("../events/json-schema.ts");
        terminal.stdout.write(renderEventsSchema());
        return;
      }
      const { renderJsonSchema } = await import("../hosts/json-schema.ts");
      terminal.stdout.write(renderJsonSchema());
    });

  program
    .command("demo")
    .description(
      "show a cure, an unchanged push and a roll back against a host inside this process",
    )
    .action(async () => {
      const { demo } = await import("./demo.ts");
      end(await demo(terminal));
    });

  return program;
}

/** The options of `push` and `plan`. */
function pushing(command: Command): Command {
  return command
    .addHelpText("after", "Without one, on a terminal, you choose.")
    .option("--force", "overwrite a login that is the host's own")
    .option("--clear-shadows", "remove what outranks the login on a host, in the same transaction")
    .option("--share-refresh-token", "let a login that was handed over have several holders")
    .option("--allow-short-ttl", "push an access token that ends within 30 minutes");
}

const EXIT_HELP = `
Exit status: 0 all hosts verified or unchanged · 2 command line · 3 hosts.json · 4 log in on this laptop
  10 some host failed, none is worse off · 11 a host needs a person · 12 unreachable only · 13 locked
  14 drift or shadow found, 15 expiring soon (doctor) · 130 interrupted`;
