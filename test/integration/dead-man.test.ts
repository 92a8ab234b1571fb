import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { install } from "../../src/install/install.ts";
import { probe } from "../../src/probe/probe.ts";
import { restart } from "../../src/restart/restart.ts";
import { Secret } from "../../src/secret.ts";
import { WITHOUT_PERL, makeLocalHome, writeHostFile } from "../support/local-half.ts";
import { expectOldWhole } from "../support/promises.ts";
import { renderHostLogin, tokens } from "../support/stage.ts";
import { until } from "../support/until.ts";

test.each([
  ["its toolbox", {}],
  ["nothing but a shell", WITHOUT_PERL],
])(
  "a host that hears nothing more takes the change back by itself, restarts as a login would, and unlocks, with %s",
  async (_, environment) => {
    using host = await makeLocalHome();
    const before = writeHostFile(host, renderHostLogin(tokens.other));
    const one = await host.open(undefined, undefined, environment);
    const { half, run } = one;
    const { configDir, hostFile, home } = host;
    const seen = join(home, "wrapper", "seen");
    const command = `echo "$(umask) \${LC_ALL-none}" >>seen; ${host.recipe["command"]}`;
    const recipe = { ...host.recipe, command };
    await probe(half, run, {}, recipe);
    const after = new Secret(renderHostLogin(tokens.good));
    const changes = [{ path: hostFile, mode: "600", before, after }];
    await install(half, {
      run,
      who: "ana@laptop",
      configDir,
      confirmTimeoutMs: 1000,
      recipe,
      changes,
    });
    expect((await restart(half, run, 20_000).done).failure).toBeUndefined();
    expect(readFileSync(hostFile, "utf8")).toBe(after.reveal());

    one.kill();
    await one.ended;
    await until("the old file is back", () => readFileSync(hostFile).equals(before));
    await expectOldWhole(hostFile, before);
    expect(await host.chat("say pong")).toBe("pong");
    // A login's umask and locale, both times: not those that the script needs for itself.
    const [first, second] = readFileSync(seen, "utf8").split("\n");
    expect(second).toBe(first);
    expect(readFileSync(join(configDir, ".sync-creds/history"), "utf8")).toContain("dead-man");
  },
);
