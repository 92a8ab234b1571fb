import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Restart } from "../../src/hosts/host.ts";
import { install } from "../../src/install/install.ts";
import { rollBack } from "../../src/install/rollback.ts";
import { probe } from "../../src/probe/probe.ts";
import { restart } from "../../src/restart/restart.ts";
import { recipeOf } from "../../src/restart/supervisors.ts";
import { Secret } from "../../src/secret.ts";
import { hostEntry } from "../support/host-entry.ts";
import { SHELLS, makeLocalHome, writeHostFile } from "../support/local-half.ts";
import { expectOldWhole } from "../support/promises.ts";
import { renderHostLogin, tokens } from "../support/stage.ts";
import { SUPERVISORS, environmentOf, ownProcess } from "../support/supervised.ts";
import type { Supervisor } from "../support/supervised.ts";
import { until } from "../support/until.ts";

const OLD = renderHostLogin(tokens.other);
// Supervisors take their time: supervisord a second for each start, pm2 for each word.
vi.setConfig({ testTimeout: 120_000 });
const BEFORE = { TAKEN: "it's $HOME `and` \\all", KEPT: "yes" };

const KINDS: [name: string, open: () => Supervisor][] = [
  ["process", ownProcess],
  ...Object.entries(SUPERVISORS)
    // Found through a variable that belongs to a login, which there is none of here.
    .filter(([name]) => name !== "systemd --user")
    .map(([name, { open }]): [string, () => Supervisor] => [name, open]),
];

/** Each kind under two shells, and each shell with several kinds: all that a kind has of its own is run twice. */
const PAIRS = KINDS.flatMap(([kind, open], at) =>
  [at, at + 2].map((turn) => {
    const [shell, words] = SHELLS[turn % SHELLS.length]!;
    return { kind, open, shell, words };
  }),
);

describe("a wrapper of", () => {
  test.each(PAIRS)(
    "$kind is found under $shell, restarted, proven new, and restarted again on the way back",
    async ({ kind: name, open, words: shell }) => {
      using host = await makeLocalHome();
      using supervisor = open();
      const { home, configDir, hostFile, port } = host;
      const before = writeHostFile(host, OLD);
      const directory = join(home, "wrapper");
      const script = join(directory, "start.sh");
      const variables = { HOME: home, PATH: process.env["PATH"] ?? "", ...BEFORE };
      writeFileSync(script, `cd ${directory}\n${String(host.recipe["command"])}\n`);
      const its = await supervisor.take({
        home,
        directory,
        script,
        port,
        variables,
        user: userInfo().username,
      });
      await until("the wrapper answers", () => host.chat("up?").then(Boolean, () => false));
      const { wrapper } = hostEntry({});
      const recipe = recipeOf(
        hostEntry({
          wrapper: { ...wrapper, url: `http://127.0.0.1:${port}` },
          restart: {
            scope: name === "launchd" ? "user" : "system",
            log: "~/log",
            ...its,
          } as Restart,
          stabilityMs: 200,
        }),
      );
      const path = [...(supervisor.sshd.path ?? []), process.env["PATH"]].join(delimiter);
      const { half, run } = await host.open(shell, path);

      const seen = await probe(half, run, {}, recipe);
      expect(seen.unit).not.toBe("not-found");
      const pid = seen.wrapper?.pid ?? 0;
      expect(environmentOf(pid)).toMatchObject(BEFORE);

      const isOurs = name === "process" || name === "pm2";
      const envFile = join(configDir, ".sync-creds/wrapper.env");
      mkdirSync(join(configDir, ".sync-creds"), { mode: 0o700 });
      const changes = [
        { path: hostFile, mode: "600", before, after: undefined },
        {
          path: envFile,
          mode: "600",
          before: undefined,
          after: new Secret(`ANTHROPIC_API_KEY=sk-ant-api03-GOOD-CANARY\n`),
        },
      ];
      const more = isOurs ? { unset: "TAKEN", env: envFile } : {};
      await install(half, {
        run,
        who: "ana@laptop",
        configDir,
        confirmTimeoutMs: 30_000,
        recipe: { ...recipe, ...more },
        changes,
      });
      const report = await restart(half, run, 60_000).done;
      expect(report.failure).toBeUndefined();
      const newPid = report.wrapper?.pid ?? 0;
      expect(newPid).not.toBe(pid);
      const { TAKEN = "", ...others } = environmentOf(newPid);
      expect(others).toMatchObject({ KEPT: BEFORE.KEPT });
      expect([TAKEN, others["ANTHROPIC_API_KEY"]]).toEqual(
        isOurs ? ["", "sk-ant-api03-GOOD-CANARY"] : [BEFORE.TAKEN, undefined],
      );

      const back = await rollBack(half, run, 60_000);
      expect(back).toMatchObject({ restored: true, restart: { failure: undefined } });
      const after = environmentOf(back.restart.wrapper?.pid);
      expect(after).toMatchObject(BEFORE);
      expect(after["ANTHROPIC_API_KEY"] ?? "").toBe("");
      half.end();
      await expectOldWhole(hostFile, before);
    },
  );
});
