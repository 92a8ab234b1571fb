import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { installDocker } from "../support/docker.ts";
import { until } from "../support/until.ts";

interface Fixture {
  /** `docker …` in the project's folder. */
  readonly docker: (...argv: string[]) => { status: number | null; stdout: string; stderr: string };
  readonly write: (file: string, text: string) => void;
  /** The environment of the container's process, once it has the given pid's place. */
  readonly environment: () => Promise<Record<string, string>>;
  readonly failNext: (times: number) => void;
  readonly deny: () => void;
}

const COMPOSE = `
services:
  api:
    image: wrapper:1
    command: ["sh", "-c", "echo listening; exec sleep 1000"]
    env_file: [wrapper.env]
    environment:
      FROM: environment
      FILLED: "\${WORD:-none} \${OTHER-other} $$"
`;

function openFixture(): Fixture {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-Shop-"));
  const fake = installDocker();
  onTestFinished(() => {
    fake[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  const docker = (...argv: string[]) => fake.call(argv, folder);
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  write("compose.yaml", COMPOSE);
  write("wrapper.env", "FROM=file\nKEY=sk-CANARY\n");
  write(".env", "WORD=filled\nONLY_FOR_FILLING=1\n");
  return {
    docker,
    write,
    async environment() {
      const id = docker("compose", "ps", "-q", "api").stdout.trim();
      const pid = docker("inspect", "-f", "{{.State.Pid}}", id).stdout.trim();
      let text = "";
      await until("its command runs", () => {
        text = readFileSync(`/proc/${pid}/environ`, "utf8");
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sleep");
      });
      const lines = text.split("\0").filter((line) => line !== "");
      return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
    },
    failNext: (times) => fake.failNext(times),
    deny: () => fake.deny(),
  };
}

describe("the stand-in for docker", () => {
  test("gives a container the env file and over it `environment`, and nothing of the host or of .env", async () => {
    const { docker, environment } = openFixture();

    expect(docker("compose", "up", "-d", "--force-recreate", "api").status).toBe(0);

    const seen = await environment();
    expect(seen).toMatchObject({
      FROM: "environment",
      KEY: "sk-CANARY",
      FILLED: "filled other $",
      HOME: "/root",
    });
    // PWD is the shell's own.
    const names = ["FILLED", "FROM", "HOME", "HOSTNAME", "KEY", "PATH", "PWD"];
    expect(Object.keys(seen).sort()).toEqual(names);
  });

  test("reads env files again when it creates the container anew, not when it restarts it", async () => {
    const { docker, write, environment } = openFixture();
    docker("compose", "up", "-d");
    const before = docker("compose", "ps", "-q").stdout;
    write("wrapper.env", "FROM=file\n");

    docker("compose", "restart", "api");
    expect(await environment()).toHaveProperty("KEY");
    docker("restart", before.trim());
    expect(await environment()).toHaveProperty("KEY");
    expect(docker("compose", "ps", "-q").stdout).toBe(before);
    docker("compose", "up", "-d", "--force-recreate", "api");
    expect(await environment()).not.toHaveProperty("KEY");
    expect(docker("compose", "ps", "-q").stdout).not.toBe(before);
  });

  test("creates it anew without force only when its configuration has changed", async () => {
    const { docker, write, environment } = openFixture();
    docker("compose", "up", "-d");
    const before = docker("compose", "ps", "-q").stdout;

    expect(docker("compose", "up", "-d").stderr).toContain("Running");
    expect(docker("compose", "ps", "-q").stdout).toBe(before);
    write("wrapper.env", "KEY=sk-OTHER\n");
    docker("compose", "up", "-d");
    expect(docker("compose", "ps", "-q").stdout).not.toBe(before);
    expect((await environment())["KEY"]).toBe("sk-OTHER");
  });

  test("merges the override file", async () => {
    const { docker, write, environment } = openFixture();
    write("more.env", "KEY=sk-MORE\n");
    write(
      "compose.override.yaml",
      "services:\n  api:\n    env_file: more.env\n    environment:\n      - ADDED=1\n      - FROM=override\n",
    );

    docker("compose", "up", "-d");

    expect(await environment()).toMatchObject({ KEY: "sk-MORE", ADDED: "1", FROM: "override" });
    const { stdout } = docker("compose", "config", "--format", "json");
    const { services } = JSON.parse(stdout) as { services: { api: { environment: object } } };
    expect(services.api.environment).toMatchObject({
      KEY: "sk-MORE",
      ADDED: "1",
      FILLED: "filled other $$",
    });
    expect(docker("compose", "config", "--services").stdout).toBe("api\n");
  });

  test("shows a container by name, and its log", async () => {
    const { docker } = openFixture();
    docker("compose", "-p", "shop", "up", "-d");
    expect(docker("compose", "-p", "shop", "ps", "-q").stdout).toMatch(/^[0-9a-f]{64}\n$/);
    const show = (format: string) => docker("inspect", "-f", format, "shop-api-1").stdout.trim();

    expect(show("{{.State.Running}} {{.State.Status}} {{.RestartCount}}")).toBe("true running 0");
    expect(show('{{index .Config.Labels "com.docker.compose.service"}}')).toBe("api");
    expect(show("{{range .Config.Env}}{{println .}}{{end}}")).toContain("KEY=sk-CANARY");
    await until(
      "it has printed",
      () => docker("logs", "--tail", "1", "shop-api-1").stdout !== "\n",
    );
    expect(docker("logs", "--tail", "1", "shop-api-1").stdout).toBe("listening\n");
    docker("stop", "shop-api-1");
    expect(show("{{.State.Status}} {{.State.Pid}}")).toBe("exited 0");
  });

  test.each([
    ["a service that is not there", ["compose", "up", "-d", "nope"], 1, "no such service: nope"],
    [
      "a container that is not there",
      ["inspect", "-f", "{{.Id}}", "nope"],
      1,
      "no such object: nope",
    ],
    [
      "no project",
      ["compose", "--project-directory", "/", "-f", "nope.yaml", "up"],
      1,
      "nope.yaml: no such file or directory",
    ],
  ])("refuses %s", (_name, argv, status, stderr) => {
    const { docker } = openFixture();
    const called = docker(...argv);
    expect(called.status).toBe(status);
    expect(called.stderr).toContain(stderr);
  });

  test("refuses a project whose env file is missing, a start that fails, and whoever may not use it", () => {
    const { docker, write, failNext, deny } = openFixture();
    failNext(1);
    expect(docker("compose", "up", "-d")).toMatchObject({ status: 1, stdout: "" });
    expect(docker("compose", "up", "-d").status).toBe(0);
    write("compose.override.yaml", "services:\n  api:\n    env_file: missing.env\n");
    expect(docker("compose", "up", "-d").stderr).toContain(
      "missing.env: no such file or directory",
    );
    deny();
    expect(docker("restart", "shop-api-1").stderr).toContain("permission denied");
  });
});
