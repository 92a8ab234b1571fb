import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { HOSTS_AT_A_TIME } from "../rollout/waves.ts";

/** The options of every command that goes to hosts. */
export function toTargets(command: Command): Command {
  return command
    .addHelpText("after", TARGET_HELP)
    .option("-c, --config <file>", "hosts.json to use")
    .option("--exclude <target...>", "leave these out")
    .option("--limit <target...>", "only those that also belong to these")
    .option("--concurrency <n>", "hosts at a time", parseCount, HOSTS_AT_A_TIME)
    .option("--json", "NDJSON on stdout: events, then one result")
    .option("-q, --quiet", "only the result")
    .option("-v, --verbose", "more detail, stack traces included")
    .option("--no-input", "never ask; a missing answer is an error that names its flag");
}

/** The options of every command that changes hosts. */
export function changing(command: Command): Command {
  return toTargets(command)
    .option("-n, --dry-run", "show what would change; change nothing on the host")
    .option("-y, --yes", "answer yes to the questions of this command")
    .option("--canary <host>", "this one first and alone; the others only if it ends well")
    .option("--waves <sizes>", "so many hosts at a time, such as 1,25%,100%; the last repeats")
    .option("--max-failures <n>", "more failures than n, or n%, stop the run before its next wave")
    .addOption(
      new Option(
        "--unreachable <how>",
        "hosts out of reach are failures (fail), or left out (skip)",
      ).choices(["fail", "skip"]),
    )
    .option("--atomic", "one failure returns every host")
    .option("--wait <seconds>", "wait so long for another run on a host to end", parseSeconds);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,5}$/.test(text)) return seconds;
  throw new InvalidArgumentError("It must be a whole number of seconds.");
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 100) return count;
  throw new InvalidArgumentError("It must be a whole number from 1 to 100.");
}

const TARGET_HELP = `
A target is a host, a group, \`tag:NAME\`, a pattern such as 'web-*', or \`all\`.`;
