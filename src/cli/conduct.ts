import { SyncCredsError } from "../errors.ts";
import { renderGuess } from "../hosts/problem.ts";
import type { Selection } from "../hosts/select.ts";
import { renderNames } from "../output/names.ts";
import { renderReady } from "./ready-table.ts";
import type { Ports } from "../ports.ts";
import type { Conduct } from "../rollout/conductor.ts";
import { HOSTS_AT_A_TIME, parseAmount, parseWaves } from "../rollout/waves.ts";
import type { Amount } from "../rollout/waves.ts";
import { verifyConsent } from "./questions.ts";

/** How a run over several hosts shall go, as the command line says it. */
export interface ConductOptions {
  readonly concurrency?: number;
  readonly canary?: string;
  readonly waves?: string;
  readonly maxFailures?: string;
  readonly unreachable?: "fail" | "skip";
  readonly atomic?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/**
 * The conduct of a run: options win over what the group of hosts.json says. `what` comes before the hosts in a question:
 * `Push 52a4d4f7 to`. Errors: `USAGE`; `INPUT_NEEDED` where a person must be asked and nobody is there.
 */
export function conductOf(
  selection: Selection,
  what: string,
  options: ConductOptions,
  ports: Ports,
): Conduct {
  const { hosts, order, needsConfirmation } = selection;
  const canary = options.canary ?? order.canary;
  const mustAsk =
    needsConfirmation !== undefined && hosts.length > 0 && options.dryRun !== true && !options.yes;
  if (mustAsk && ports.human === undefined) verifyAnswerable(selection, what);
  const waves = options.waves === undefined ? order.waves : parseWaves(options.waves);
  const most =
    options.maxFailures === undefined ? order.maxFailures : amountOf(options.maxFailures);
  return {
    concurrency: options.concurrency ?? HOSTS_AT_A_TIME,
    skipUnreachable: options.unreachable === "skip",
    atomic: options.atomic === true,
    ...(canary === undefined ? {} : { canary }),
    ...(waves === undefined ? {} : { waves }),
    ...(most === undefined ? {} : { maxFailures: most }),
    ...(mustAsk
      ? {
          consent: (ready) => {
            const names = ready.map(({ host }) => host);
            return verifyConsent(
              `${what} ${renderNames(names)}?`,
              [...renderReady(ready), needsConfirmation],
              ports,
            );
          },
        }
      : {}),
  };
}

/** One line about the order of these hosts, which may stand in hosts.json only; none where they go all at once. */
export function renderOrder(
  { canary, waves, maxFailures }: Conduct,
  hosts: readonly string[],
): string[] {
  const parts = [
    ...(canary !== undefined && hosts.includes(canary) ? [`${canary} first and alone`] : []),
    ...(waves === undefined ? [] : [`waves of ${waves.map(renderAmount).join(", ")}`]),
  ];
  if (parts.length === 0 || hosts.length < 2) return [];
  const most = maxFailures === undefined ? "0" : renderAmount(maxFailures);
  const limit = most === "0" ? "any failure stops it" : `more failures than ${most} stop it`;
  return [`order: ${parts.join(", then ")}; ${limit}`];
}

/** Tells that the order which hosts.json wants is not followed, where the command line wants none either. */
export function renderOdds(
  { atOdds }: Pick<Selection, "atOdds">,
  { canary, waves, maxFailures }: ConductOptions,
): string[] {
  const isSaid = (canary ?? waves ?? maxFailures) !== undefined;
  if (isSaid || atOdds.length === 0) return [];
  return [
    `the groups ${renderNames(atOdds)} want different orders, so none is followed: say one with \`--canary\`, \`--waves\``,
  ];
}

function renderAmount(amount: Amount): string {
  return "count" in amount ? String(amount.count) : `${amount.percent}%`;
}

/** Refuses a canary that is not among the targets: it could find nothing. Error: `USAGE`. */
export function verifyCanary(
  { hosts }: Pick<Selection, "hosts">,
  { canary }: Pick<ConductOptions, "canary">,
): void {
  if (canary === undefined || hosts.some(({ name }) => name === canary)) return;
  const names = hosts.map(({ name }) => name);
  throw new SyncCredsError("USAGE", `the canary ${canary} is not among the targets`, {
    why: `the targets are ${renderNames(names)}`,
    next: [`Name one of them${renderGuess(canary, names)}`],
  });
}

function verifyAnswerable({ hosts, needsConfirmation: reason }: Selection, what: string): void {
  throw new SyncCredsError(
    "INPUT_NEEDED",
    `not without a yes: ${what} ${renderNames(hosts.map(({ name }) => name))}`,
    { ...(reason === undefined ? {} : { why: reason }), next: ["Add `--yes` if you mean it"] },
  );
}

function amountOf(text: string): Amount {
  const amount = parseAmount(text);
  if (amount !== undefined) return amount;
  throw new SyncCredsError("USAGE", `\`${text}\` is no number of failures`, {
    next: ["Say it as in `--max-failures 2` or `--max-failures 10%`"],
  });
}
