import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { installSystemd } from "../support/systemd.ts";
import type { FakeSystemd } from "../support/systemd.ts";
import { until } from "../support/until.ts";

// Every expectation was seen with systemd 252 first.
const UNIT = "wrapper.service";

interface Fixture {
  readonly systemd: FakeSystemd;
  readonly folder: string;
  /** Restarts the unit and reads the environment of its new process. */
  readonly restarted: () => Promise<Record<string, string>>;
  readonly show: (...properties: string[]) => string[];
}

function openFixture(service: readonly string[]): Fixture {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-unit-"));
  const systemd = installSystemd();
  onTestFinished(() => {
    systemd[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  const command = `ExecStart=/bin/sh -c 'env >${folder}/seen.part; mv ${folder}/seen.part ${folder}/seen; exec sleep 1000'`;
  systemd.write(UNIT, ["[Service]", command, ...service].join("\n").replaceAll("FOLDER", folder));
  return {
    systemd,
    folder,
    async restarted() {
      rmSync(join(folder, "seen"), { force: true });
      expect(systemd.control(["restart", "wrapper"]).status).toBe(0);
      let text = "";
      await until("the unit has started", () => {
        text = readIfThere(join(folder, "seen"));
        return text !== "";
      });
      return Object.fromEntries(
        text.split("\n").map((line) => line.split(/=(.*)/s) as [string, string]),
      );
    },
    show: (...properties) =>
      systemd
        .control(["show", UNIT, ...properties.flatMap((name) => ["-p", name])])
        .stdout.trim()
        .split("\n"),
  };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

describe("the stand-in for systemctl", () => {
  test("gives a unit its Environment, over it its env files, and takes away what UnsetEnvironment names", async () => {
    const { folder, restarted } = openFixture([
      'Environment=A=unit "B=two words" KEY=sk-CANARY',
      "EnvironmentFile=FOLDER/env",
      "EnvironmentFile=-FOLDER/missing",
      "UnsetEnvironment=KEY B=other FROM_FILE",
    ]);
    const file = [
      "# no",
      "; no",
      "A=file",
      "FROM_FILE=x",
      "export X=1",
      'Q="a\\"b"',
      "S='in gle'tail  ",
      "L=a\\",
      "b",
      "E=",
    ];
    writeFileSync(join(folder, "env"), file.join("\n"));

    const seen = await restarted();

    expect(seen).toMatchObject({
      A: "file",
      B: "two words",
      Q: 'a"b',
      S: "in gletail",
      L: "ab",
      E: "",
    });
    for (const name of ["KEY", "FROM_FILE", "X", "export X"]) expect(seen).not.toHaveProperty(name);
    expect(seen).not.toHaveProperty("HOME");
  });

  test("counts a change only after daemon-reload, and says so", async () => {
    const { systemd, restarted, show } = openFixture(["Environment=KEY=sk-CANARY"]);
    await restarted();
    const dropIn = systemd.write(`${UNIT}.d/50-a.conf`, "[Service]\nUnsetEnvironment=KEY\n");

    expect(show("NeedDaemonReload", "DropInPaths")).toEqual([
      "DropInPaths=",
      "NeedDaemonReload=yes",
    ]);
    expect(await restarted()).toHaveProperty("KEY");
    expect(systemd.control(["restart", UNIT]).stderr).toContain("Run 'systemctl daemon-reload'");
    systemd.control(["daemon-reload"]);
    expect(show("NeedDaemonReload", "DropInPaths")).toEqual([
      `DropInPaths=${dropIn}`,
      "NeedDaemonReload=no",
    ]);
    expect(await restarted()).not.toHaveProperty("KEY");
  });

  test("reads an env file again at each restart, and fails without one that must be there", async () => {
    const { systemd, folder, restarted, show } = openFixture(["EnvironmentFile=FOLDER/env"]);
    writeFileSync(join(folder, "env"), "A=1\n");
    expect((await restarted())["A"]).toBe("1");
    writeFileSync(join(folder, "env"), "A=2\n");
    expect((await restarted())["A"]).toBe("2");
    rmSync(join(folder, "env"));

    const { status, stderr } = systemd.control(["restart", UNIT]);

    expect(status).toBe(1);
    expect(stderr).toContain("failed because of unavailable resources or another system error");
    expect(show("MainPID", "ActiveState")).toEqual(["MainPID=0", "ActiveState=failed"]);
  });

  test("shows properties in systemd's order and quoting", async () => {
    const { systemd, folder, restarted, show } = openFixture([
      'Environment=A=1 "B=two words"',
      `Environment='C=it has "quotes" and $dollar and \\\\back'`,
      "EnvironmentFile=-FOLDER/env",
      "UnsetEnvironment=X Y=1",
    ]);
    await restarted();

    const shown = show(
      "UnsetEnvironment",
      "Environment",
      "EnvironmentFiles",
      "LoadState",
      "ActiveState",
      "FragmentPath",
    );

    expect(shown).toEqual([
      String.raw`Environment=A=1 "B=two words" "C=it has \"quotes\" and \$dollar and \\back"`,
      `EnvironmentFiles=${folder}/env (ignore_errors=yes)`,
      "UnsetEnvironment=X Y=1",
      "LoadState=loaded",
      "ActiveState=active",
      `FragmentPath=${join(systemd.root, "etc/systemd/system", UNIT)}`,
    ]);
    const [pid] = show("MainPID").map((line) => Number(line.split("=")[1]));
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toContain("sleep");
  });

  test("lets an empty assignment forget those before it, and a drop-in hide its namesake", async () => {
    const { systemd, show } = openFixture(["Environment=A=1", "UnsetEnvironment=A"]);
    systemd.write(
      `${UNIT}.d/90-b.conf`,
      "[Service]\nEnvironment=\nEnvironment=B=2\nUnsetEnvironment=\n",
    );
    const hidden = join(systemd.root, "usr/lib/systemd/system", `${UNIT}.d/90-b.conf`);
    mkdirSync(dirname(hidden), { recursive: true });
    writeFileSync(hidden, "[Service]\nEnvironment=HIDDEN=1\n");

    expect(show("Environment", "EnvironmentFiles", "UnsetEnvironment")).toEqual([
      "Environment=B=2",
      "UnsetEnvironment=",
    ]);
  });

  test("knows no unit without a file, and no user's manager without its variable", () => {
    const { systemd } = openFixture([]);

    const shown = systemd.control(["show", "-p", "MainPID,LoadState,ActiveState", "nope.service"]);
    expect(shown).toMatchObject({
      status: 0,
      stdout: "MainPID=0\nLoadState=not-found\nActiveState=inactive\n",
    });
    expect(systemd.control(["restart", "nope.service"])).toMatchObject({
      status: 5,
      stderr: "Failed to restart nope.service: Unit nope.service not found.\n",
    });
    const bare = systemd.control(["--user", "show", "x"], { PATH: process.env["PATH"] });
    expect(bare).toMatchObject({
      status: 1,
      stderr: "Failed to connect to bus: No medium found\n",
    });
  });
});
