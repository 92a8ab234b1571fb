import { Option, type Command } from "commander";
import type { Terminal } from "../output/terminal.ts";
import type { AddOptions } from "./hosts-add.ts";
import type { ImportOptions } from "./hosts-import.ts";
import type { ListOptions } from "./hosts-list.ts";

/** The commands below `hosts`. */
export function addHostsCommands(
  hosts: Command,
  terminal: Terminal,
  end: (status: number) => void,
): void {
  common(hosts.command("list [target...]"))
    .description("show how each host would be reached, without contacting it")
    .option("--exclude <target...>", "leave these out")
    .option("--limit <target...>", "only those that also belong to these")
    .addHelpText("after", LIST_HELP)
    .action(async (names: string[], options: ListOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { listHosts } = await import("./hosts-list.ts");
      end(await runLocally(options, terminal, (world) => listHosts(names, options, world)));
    });

  settings(common(hosts.command("add [name]")))
    .description("add a host: asks for what is missing, tries the connection, writes hosts.json")
    .option("--ssh <target>", "alias of ~/.ssh/config or user@host:port; the name unless told")
    .option("--no-test", "do not connect to it first")
    .option("--no-input", NO_INPUT)
    .addHelpText("after", ADD_HELP)
    .action(async (name: string | undefined, options: AddOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { addHost } = await import("./hosts-add.ts");
      end(await runLocally(options, terminal, (world) => addHost(name, options, world)));
    });

  settings(common(hosts.command("import [alias...]")))
    .description("add hosts of ~/.ssh/config, or of an Ansible inventory, in one change")
    .option("--all", "all that are there")
    .addOption(new Option("--from <file>", "another ssh_config").conflicts("ansible"))
    .option("--ansible <file>", "the JSON of `ansible-inventory --list`; - for stdin")
    .option("-n, --dry-run", "show what would be added; write nothing")
    .option("--no-input", NO_INPUT)
    .addHelpText("after", IMPORT_HELP)
    .action(async (names: string[], options: ImportOptions) => {
      const { runLocally } = await import("./local-command.ts");
      const { importHosts } = await import("./hosts-import.ts");
      end(await runLocally(options, terminal, (world) => importHosts(names, options, world)));
    });
}

function common(command: Command): Command {
  return command
    .option("-c, --config <file>", "hosts.json to use")
    .option("--json", "one result line of NDJSON on stdout; never asks")
    .option("-v, --verbose", "stack traces included");
}

/** What can be said about a new host. */
function settings(command: Command): Command {
  return command
    .option("--run-as <account>", "the wrapper's account, entered by sudo")
    .option("--url <url>", "the wrapper, as the host itself sees it")
    .option(
      "--restart <kind>",
      "what restarts it: systemd, docker-compose, docker, pm2, supervisor, launchd, process, command or none",
    )
    .option("--unit <name>", "systemd: the unit")
    .option("--scope <scope>", "systemd, launchd: system, or user for the account's own")
    .option("--directory <path>", "process, docker-compose: its folder on the host")
    .option("--service <name>", "docker-compose: the service")
    .option("--container <name>", "docker: the container")
    .option("--app <name>", "pm2: the app")
    .option("--program <name>", "supervisor: the program")
    .option(
      "--supervisor-config <path>",
      "supervisor: its configuration, where that is no usual place",
    )
    .option("--label <label>", "launchd: the job")
    .option("--command <line>", "process: starts the wrapper; command: restarts it")
    .option("--status <line>", "command: succeeds while the wrapper runs")
    .option("--log <path>", "process, command, launchd: the wrapper's log")
    .option("--group <name>", "a group to belong to; made if there is none");
}

const NO_INPUT = "never ask; a missing answer is an error that names its flag";

const LIST_HELP = `
Whether a host key has changed, only contact can tell: known means that some key is on record.`;

const ADD_HELP = `
What is neither said nor asked: --ssh NAME, --url http://127.0.0.1:8000, or what \`defaults\` of hosts.json says.
Example: sync-creds hosts add web-1 --ssh deploy@web-1.example.com --restart systemd --unit claude-wrapper.service`;

const IMPORT_HELP = `
Names are taken from the ssh_config, nothing else: ssh itself goes on knowing the rest. Passwords of an inventory stay
there. --url and --restart go into \`defaults\`, or, where these say otherwise already, to each new host.
Example: ansible-inventory --list | sync-creds hosts import --ansible - --all --restart none`;
