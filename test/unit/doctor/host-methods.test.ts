import { expect, test } from "vitest";
import { checkHostMethods } from "../../../src/doctor/host-methods.ts";
import { surveyShadows } from "../../../src/probe/survey.ts";
import type { ShadowFact } from "../../../src/remote/shadow-fact.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { PRIVATE_FILE, probeReport } from "../plan/a-probe-report.ts";

const compose = hostEntry({
  restart: { kind: "docker-compose", directory: "/srv", service: "api" },
});
const inFile = (name: string, place: ShadowFact["place"], path: string): ShadowFact => ({
  name,
  place,
  path,
  line: 1,
  value: "set",
});
const inEnvFile = inFile("ANTHROPIC_AUTH_TOKEN", "compose-env-file", "/srv/.env");
const inCompose = inFile("ANTHROPIC_API_KEY", "compose", "/srv/compose.yaml");
const CLEARS = expect.stringContaining("--clear-shadows");

test("`--clear-shadows` is the cure of what it can remove", () => {
  const report = probeReport({ shadows: [inEnvFile] });
  const [check] = checkHostMethods(surveyShadows(report, compose), compose);
  expect(check?.cure[0]).toEqual(CLEARS);
});

test("what only a person can remove comes first, and with no other cure", () => {
  const report = probeReport({ shadows: [inEnvFile, inCompose] });
  const [first, second] = checkHostMethods(surveyShadows(report, compose), compose);
  expect(first?.what).toContain("/srv/compose.yaml");
  expect(first?.cure).toEqual([expect.stringMatching(/^Take ANTHROPIC_API_KEY out of line 1/)]);
  expect(second?.cure[0]).toEqual(CLEARS);
});

test("a settings file that nobody can read comes before what a push would remove", () => {
  const path = "/home/deploy/.claude/settings.json";
  const files = new Map([[path, { ...PRIVATE_FILE, bytes: Buffer.from("{ // mine") }]]);
  const report = probeReport({ files, shadows: [inEnvFile] });
  const [first] = checkHostMethods(surveyShadows(report, compose), compose);
  expect(first).toMatchObject({ cure: [`Mend \`${path}\` on HOST`] });
});

test("of a login of its own nothing is promised that a push would not do", () => {
  const own = hostEntry({ delivery: "own-login", means: "none" });
  const report = probeReport({ shadows: [inFile("ANTHROPIC_API_KEY", "dot-env", "/srv/.env")] });
  const [check] = checkHostMethods(surveyShadows(report, own), own);
  expect(check?.cure).not.toContainEqual(CLEARS);
});

test("the administrator may have laid down several settings files", () => {
  const path = "/etc/claude-code/managed-settings.d/50-key.json";
  const bytes = Buffer.from('{ "apiKeyHelper": "/opt/key" }');
  const report = probeReport({ files: new Map([[path, { ...PRIVATE_FILE, bytes }]]) });
  const { shadows } = surveyShadows(report, hostEntry({}));
  expect(shadows).toMatchObject([
    { name: "apiKeyHelper", sources: [{ place: "managed-settings", path, line: 1 }] },
  ]);
});

test("a failover is told for what it is", () => {
  const survey = surveyShadows(probeReport(), compose);
  const [check] = checkHostMethods(survey, compose, true);
  expect(check).toMatchObject({ mark: "note", what: expect.stringContaining("failover") });
});
