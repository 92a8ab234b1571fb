import { describe, expect, test } from "vitest";
import type { Means, Restart } from "../../../src/hosts/host.ts";
import { explainFinding, explainShadows } from "../../../src/probe/explain.ts";
import { findShadows, findUnread } from "../../../src/probe/shadows.ts";
import { AUTH_VARIABLES } from "../../../src/remote/shadow-fact.ts";
import type { ShadowFact, ShadowPlace } from "../../../src/remote/shadow-fact.ts";

const UNIT: Restart = { kind: "systemd", unit: "wrapper.service", scope: "system" };
const PROCESS: Restart = { kind: "process", directory: "~/w", command: "./w", log: "~/w.log" };

const inProcess = (name: string, value: ShadowFact["value"] = "set"): ShadowFact => ({
  name,
  place: "process",
  value,
});
const inFile = (name: string, place: ShadowPlace, path = "/etc/x", line = 3): ShadowFact => ({
  name,
  place,
  value: "set",
  path,
  line,
});
const namesOf = (facts: readonly ShadowFact[], means: Means, restart = UNIT) =>
  findShadows(facts, means, restart).map(({ name }) => name);

describe("what outranks a delivery", () => {
  const all = [...AUTH_VARIABLES].map((name) => inProcess(name));
  const helper = inFile("apiKeyHelper", "settings");
  const CLOUD = [
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "ANTHROPIC_AUTH_TOKEN",
  ];

  test.each<[Means, string[]]>([
    [
      "file",
      [
        ...CLOUD,
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
        "CLAUDE_CODE_SIMPLE",
        "apiKeyHelper",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
        "ANTHROPIC_PROFILE",
        "ANTHROPIC_FEDERATION_RULE_ID",
      ],
    ],
    [
      "oauth-variable",
      [
        ...CLOUD,
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
        "CLAUDE_CODE_SIMPLE",
        "apiKeyHelper",
      ],
    ],
    ["key-variable", CLOUD],
    ["key-helper", [...CLOUD, "ANTHROPIC_API_KEY", "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR"]],
  ])("by %s comes in Claude Code's order of precedence", (means, names) => {
    expect(namesOf([...all, helper], means)).toEqual(names);
  });

  test("is nothing that is empty", () => {
    expect(namesOf([inProcess("ANTHROPIC_API_KEY", "empty")], "file")).toEqual([]);
  });

  test("is one finding with all its places, the running process first", () => {
    const unit = inFile("ANTHROPIC_API_KEY", "unit");
    const own = inProcess("ANTHROPIC_API_KEY", "oauth-token");
    expect(findShadows([unit, own], "file", UNIT)).toEqual([
      { name: "ANTHROPIC_API_KEY", value: "oauth-token", sources: [own, unit] },
    ]);
  });

  test("may be the same variable, where Claude Code or compose puts it on top of ours", () => {
    const facts = (["settings", "compose", "unit", "dot-env"] as const).map((place) =>
      inFile("ANTHROPIC_API_KEY", place),
    );
    const [finding] = findShadows(facts, "key-variable", UNIT);
    expect(finding?.sources.map(({ place }) => place)).toEqual(["settings", "compose"]);
  });

  test("is no file of a login shell, unless the wrapper starts in one", () => {
    const profile = inFile("ANTHROPIC_API_KEY", "shell-rc", "/home/d/.profile");
    const bashrc = inFile("ANTHROPIC_API_KEY", "shell-rc", "/home/d/.bashrc");
    expect(namesOf([profile, bashrc], "file")).toEqual([]);
    expect(findUnread([profile, bashrc], UNIT)).toEqual([profile, bashrc]);
    expect(findShadows([profile, bashrc], "file", PROCESS)[0]?.sources).toEqual([profile]);
    expect(findUnread([profile, bashrc], PROCESS)).toEqual([bashrc]);
  });
});

describe("a finding", () => {
  test("says what it is, where, what Claude Code does because of it, and how to be rid of it", () => {
    const [finding] = findShadows(
      [inProcess("ANTHROPIC_API_KEY", "oauth-token"), inFile("ANTHROPIC_API_KEY", "unit-env-file")],
      "file",
      UNIT,
    );
    const { what, effect, cure } = explainFinding(finding!, UNIT);
    expect(what).toBe(
      "ANTHROPIC_API_KEY (an OAuth token) in the wrapper's environment and /etc/x, line 3",
    );
    expect(effect).toContain("Invalid API key · Fix external API key");
    expect(cure).toEqual([expect.stringContaining("UnsetEnvironment=ANTHROPIC_API_KEY")]);
  });

  test("has words of its own for every place", () => {
    const places: ShadowPlace[] = ["unit", "settings", "managed-settings", "compose", "pm2"];
    const more: ShadowPlace[] = ["supervisor", "launchd", "start-command", "dot-env"];
    const cures = [...places, ...more].flatMap((place) => {
      const source = inFile("ANTHROPIC_API_KEY", place);
      return explainFinding({ name: source.name, value: "set", sources: [source] }, UNIT).cure;
    });
    expect(new Set(cures).size).toBe(places.length + more.length);
  });

  test("of none there is nothing to say", () => {
    expect(explainShadows([], UNIT)).toBeUndefined();
  });
});
