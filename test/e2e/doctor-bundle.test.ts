import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { findLeaks, randomSecret } from "../support/canaries.ts";
import { entryOf } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import { until } from "../support/until.ts";

function writeSettings(folder: string, settings: object): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "settings.json"), JSON.stringify(settings, null, 2));
}

describe.skipIf(!hasSshd)("a report for an issue tracker", () => {
  test("is a new private file, and is never written over another", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.good), running: true });
    const path = join(stage.laptop, "report.md");

    const ended = await stage.run("doctor", "web-1", "--bundle", "report.md");

    expect(ended.code).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const report = readFileSync(path, "utf8");
    expect(report).toContain("- sync-creds: ");
    expect(report).toContain('"kind": "process"');
    expect(report).toContain("listening on 127.0.0.1:");
    const connections = stage.sshd.log().split("Connection from").length;
    const again = await stage.run("doctor", "web-1", "--bundle", "report.md");
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("report.md is there already");
    expect(readFileSync(path, "utf8")).toBe(report);
    expect(stage.sshd.log().split("Connection from")).toHaveLength(connections);
  });

  test("holds no secret in any spelling, no address, no name, wherever they came up", async () => {
    const canaries = Object.fromEntries(
      ["access", "refresh", "host", "key", "bearer", "mcp", "command"].map((name) => [
        name,
        randomSecret(),
      ]),
    );
    const { access, refresh, host, key, bearer = "", mcp, command } = canaries;
    const login = JSON.parse(renderHostLogin(`sk-ant-oat01-${host}`)) as object;
    await using stage = await openStage({
      hostFile: JSON.stringify({ ...login, mcpOAuth: { x: { accessToken: mcp } } }),
      wrapperArguments: ["--claude", "claude.mjs", "--bearer-file", "../bearer"],
    });
    stage.logIn(`sk-ant-oat01-${access}`, { refreshToken: `sk-ant-ort01-${refresh}` });
    for (const folder of [stage.sshd.home, stage.laptop]) {
      writeFileSync(join(folder, "bearer"), bearer, { mode: 0o600 });
    }
    writeSettings(dirname(stage.hostFile), { env: { ANTHROPIC_API_KEY: `sk-ant-api03-${key}` } });
    writeFileSync(join(stage.directory, ".env"), `ANTHROPIC_AUTH_TOKEN=${key}\n`);
    const { restart } = entryOf(stage);
    stage.configure(
      { restart: { ...restart, command: `SECRET=${command} ${restart.command}` } },
      { bearer: { file: join(stage.laptop, "bearer") } },
    );
    const spellings = Object.values(canaries).flatMap((secret) => [
      `Authorization: Bearer ${secret}`,
      `GET /?key=${secret} HTTP/1.1`,
      ...(["base64", "base64url", "hex"] as const).map((form) =>
        Buffer.from(secret).toString(form),
      ),
      [...Buffer.from(secret)].map((byte) => `%${byte.toString(16)}`).join(""),
      Array.from(secret).toReversed().join(""),
    ]);
    writeFileSync(join(stage.directory, "wrapper.log"), `${spellings.slice(-39).join("\n")}\n`);
    const child = spawn("/bin/sh", ["-c", `SECRET=${command} ${stage.command}`], {
      cwd: stage.directory,
      env: { HOME: stage.sshd.home, PATH: process.env["PATH"], ANTHROPIC_API_KEY: key },
      stdio: "ignore",
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await until("the wrapper listens", () =>
      fetch(`http://127.0.0.1:${stage.wrapperPort}/health`).then(
        () => true,
        () => false,
      ),
    );

    const ended = await stage.run("doctor", "web-1", "-v", "--bundle", "report.md");

    expect(ended.code).toBe(10);
    const report = readFileSync(join(stage.laptop, "report.md"));
    const traces = [
      { where: "report", bytes: report },
      { where: "output", bytes: Buffer.from(ended.stdout + ended.stderr) },
    ];
    expect(findLeaks(traces, canaries)).toEqual([]);
    const text = report.toString();
    expect(text).toContain("ANTHROPIC_API_KEY (an API key)");
    expect(text).toContain("[masked]");
    for (const name of [stage.laptop, stage.sshd.home, "web-1", hostname()]) {
      expect(text).not.toContain(name);
    }
  });

  test("in a folder that is not there it is an error, and the diagnosis is shown", async () => {
    await using stage = await openStage();
    const ended = await stage.run("doctor", "--bundle", "no/such/report.md");
    expect(ended.code).toBe(2);
    expect(ended.stdout).toContain("this laptop: ok saved");
    expect(ended.stderr).toContain("ENOENT");
  });
});
