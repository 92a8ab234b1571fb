import { bad, note, ok } from "../diagnosis.ts";
import type { Check } from "../diagnosis.ts";
import type { Host } from "../hosts/host.ts";
import { findCures } from "../plan/cures.ts";
import { explainFinding, placeOf } from "../probe/explain.ts";
import type { Survey } from "../probe/survey.ts";
import { CLEAR } from "./wrapper-checks.ts";

/** The cause `two methods in conflict`, tested on a host: each finding with its places, lines, effect and cure. */
export function checkHostMethods(
  { shadows, unread, flaw, doubts }: Survey,
  host: Host,
  isFailedOver = false,
): Check[] {
  const { uncurable } = findCures(shadows, host.restart);
  // First what stands in the way of `--clear-shadows` itself.
  const ordered = [...uncurable, ...shadows.filter((finding) => !uncurable.includes(finding))];
  const found = ordered.map((finding) => {
    const { what, effect, cure } = explainFinding(finding, host.restart);
    const isOwn = host.means === "none";
    const byHand = isOwn || uncurable.includes(finding);
    return bad("methods", `${what} outranks ${DELIVERED[host.means]}`, {
      evidence: [
        effect,
        isOwn
          ? "an answer of the wrapper says nothing about that login"
          : byHand
            ? "a push is refused, and `--clear-shadows` cannot remove it: only you can"
            : "a push without `--clear-shadows` is refused",
      ],
      cure: byHand ? cure : [CLEAR, ...cure],
      code: "SHADOWED",
      exit: 14,
    });
  });
  const broken =
    flaw === undefined
      ? []
      : [
          bad("methods", `${flaw.path} cannot be understood`, {
            evidence: [flaw.why, "what it sets is unknown, and a push is refused"],
            cure: [`Mend \`${flaw.path}\` on HOST`],
            code: "TARGET_UNSAFE",
            exit: 10,
          }),
        ];
  const clean =
    found.length + broken.length > 0
      ? []
      : isFailedOver
        ? [
            note(
              "methods",
              `the API key of \`failover\` outranks ${DELIVERED[host.means]}, as told`,
            ),
          ]
        : [ok("methods", `nothing outranks ${DELIVERED[host.means]}`)];
  const ignored = unread.map((fact) =>
    note("methods", `${fact.name} in ${placeOf(fact)} is not read by services`),
  );
  const unsure = doubts.map(({ path, why }) =>
    note("methods", `${path}: ${why}; only the wrapper's answer tells what it does`),
  );
  return [...broken, ...found, ...clean, ...unsure, ...ignored];
}

const DELIVERED: Readonly<Record<Host["means"], string>> = {
  file: "the credentials file",
  none: "the host's own login",
  "oauth-variable": "the setup token",
  "key-variable": "the API key",
  "key-helper": "the key of the helper script",
};
