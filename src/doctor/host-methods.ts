import { bad, note, ok } from "../diagnosis.ts";
import type { Check } from "../diagnosis.ts";
import type { Host } from "../hosts/host.ts";
import { explainFinding, placeOf } from "../probe/explain.ts";
import type { Survey } from "../probe/survey.ts";
import { CLEAR } from "./wrapper-checks.ts";

/** The cause `two methods in conflict`, tested on a host: each finding with its places, lines, effect and cure. */
export function checkHostMethods({ shadows, unread, flaw }: Survey, host: Host): Check[] {
  const found = shadows.map((finding) => {
    const { what, effect, cure } = explainFinding(finding, host.restart);
    return bad("methods", `${what} outranks ${DELIVERED[host.means]}`, {
      evidence: [effect, "a push without `--clear-shadows` is refused"],
      cure: [CLEAR, ...cure],
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
      : [ok("methods", `nothing outranks ${DELIVERED[host.means]}`)];
  const ignored = unread.map((fact) =>
    note("methods", `${fact.name} in ${placeOf(fact)} is not read by services`),
  );
  return [...found, ...broken, ...clean, ...ignored];
}

const DELIVERED: Readonly<Record<Host["means"], string>> = {
  file: "the credentials file",
  none: "the host's own login",
  "oauth-variable": "the setup token",
  "key-variable": "the API key",
  "key-helper": "the key of the helper script",
};
