import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { SCRIPT_FILES } from "../../src/remote/script.ts";
import { inspect } from "../../src/doctor/inspect.ts";
import { install } from "../../src/install/install.ts";
import { commit } from "../../src/install/rollback.ts";
import { probe } from "../../src/probe/probe.ts";
import { restart } from "../../src/restart/restart.ts";
import { Secret } from "../../src/secret.ts";
import { WAYS, makeLocalHome, writeHostFile } from "../support/local-half.ts";
import { findProgram } from "../support/programs.ts";
import { expectNoTraces } from "../support/promises.ts";
import { renderHostLogin, tokens } from "../support/stage.ts";
import { straceFilesInto, writesIn } from "../support/strace.ts";

/** Names of folders that a careless script would run, cut, or expand. The marker is what they would make. */
const NAMES = [
  "two  words",
  'it\'s "quoted"',
  "$(touch marker)",
  "`touch marker`",
  "; touch marker #",
  "& touch marker",
  "* ? [a-z] {a,b}",
  "-rf",
  "back\\slash\\new\\tab",
  "$HOME ${IFS} $1 %s %n",
  "ünï©ödé 漢字 🔑",
  "a=b; path=x",
  "!history ~root",
];

describe.each(WAYS)("under %s", (_, shell, environment) => {
  test("paths of any characters are carried verbatim and never executed", async () => {
    // yash reads its input as characters and knows but ASCII ones in the C locale: it ends before it has begun.
    const names = NAMES.filter((name) => shell[0] !== "yash" || /^[ -~]*$/.test(name));
    using host = await makeLocalHome(...names);
    const before = writeHostFile(host, renderHostLogin(tokens.other));
    const { half, run } = await host.open(shell, undefined, environment);
    const { recipe, configDir, hostFile } = host;

    const report = await probe(half, run, { configDir }, recipe);
    expect(report).toMatchObject({ configDir, file: before, directory: "directory" });
    const after = new Secret(renderHostLogin(tokens.good));
    const changes = [{ path: hostFile, mode: "600", before, after }];
    await install(half, {
      run,
      who: `ana@${names.join()}`,
      configDir,
      confirmTimeoutMs: 20_000,
      recipe,
      changes,
    });
    const { failure } = await restart(half, run, 20_000).done;
    expect(failure).toBeUndefined();
    expect(await commit(half, run)).toBe(true);
    half.end();

    expect(readFileSync(hostFile, "utf8")).toBe(after.reveal());
    expect(readFileSync(join(configDir, ".sync-creds/history"), "utf8")).toContain(
      `ana@${names.join()}`,
    );
    const [root = ""] = host.home.split("/home/");
    const found = readdirSync(root, { recursive: true, encoding: "utf8" });
    expect(found.filter((path) => basename(path) === "marker")).toEqual([]);
    await expectNoTraces(configDir);
  });

  test("what is no request ends the conversation, and is not repeated", async () => {
    using host = await makeLocalHome();
    const one = await host.open(shell, undefined, environment);
    await probe(one.half, one.run, {}, host.recipe);
    const facts: string[] = [];
    const stray = { verb: "alive" as const, payload: Buffer.from(`{"token":"${tokens.good}"}\n`) };
    const answered = one.half.ask(stray);
    await answered;
    const cut = one.half.ask({ verb: "alive" }, { onFact: ({ value }) => facts.push(value) });
    await expect(cut).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    expect(facts).toEqual(["protocol"]);
  });
});

describe.skipIf(findProgram("strace") === undefined)("seen by strace", () => {
  test.each(WAYS)(
    "probe and inspection under %s open nothing for writing and make nothing",
    async (_, shell, environment) => {
      using host = await makeLocalHome();
      writeHostFile(host, renderHostLogin(tokens.other));
      writeFileSync(join(host.configDir, "settings.json"), "{}");
      const trace = join(host.home, "..", "trace");
      const words = [...straceFilesInto(trace), ...shell];
      const { half, run, ended } = await host.open(words, undefined, environment);
      await probe(half, run, {}, host.recipe);
      await inspect(half, run, { claude: false, log: true });
      half.end();
      await ended;

      const text = readFileSync(trace, "utf8");
      expect(text).toContain(".credentials.json");
      expect(writesIn(text)).toEqual([]);
      expect(existsSync(join(host.configDir, ".sync-creds"))).toBe(false);
    },
  );
});

const shellcheck = findProgram("shellcheck");
test.skipIf(shellcheck === undefined)("shellcheck finds no error in the script", () => {
  const words = ["-s", "sh", "-S", "error", ...SCRIPT_FILES];
  const { status, stdout } = spawnSync(shellcheck ?? "", words, { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
