import { execFileSync, fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  existsSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { locateCredentials } from "../../src/locate/locate.ts";
import { nodePorts } from "../../src/node-ports.ts";
import { credentialsFile } from "../unit/credentials/a-credentials-file.ts";

const NODE = process.execPath;
const ports = nodePorts();
const { files } = ports;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sync-creds-node-ports-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("reading a file", () => {
  test("gives its bytes and what they belong to", async () => {
    const path = write("a", "content", 0o640);
    const { ino, mtimeMs } = statSync(path);

    expect(await files.read(path)).toEqual({
      bytes: Buffer.from("content"),
      mode: 0o640,
      uid: process.getuid?.(),
      size: 7,
      modifiedAt: mtimeMs,
      inode: ino,
      isLink: false,
    });
  });

  test("follows a link, and says that it is one", async () => {
    symlinkSync(write("a", "content", 0o600), join(folder, "link"));
    expect(await files.read(join(folder, "link"))).toMatchObject({ size: 7, isLink: true });
  });

  test.skipIf(process.platform !== "linux")(
    "that announces no size reads it all the same",
    async () => {
      const { bytes, size } = await files.read("/proc/self/status");
      expect([size, bytes.length > 100]).toEqual([0, true]);
    },
  );

  test("takes up to 10 MiB, and not a byte more", async () => {
    const path = write("large", "", 0o600);
    truncateSync(path, 10 * 1024 * 1024);
    expect((await files.read(path)).bytes).toHaveLength(10 * 1024 * 1024);

    truncateSync(path, 10 * 1024 * 1024 + 1);
    await expect(files.read(path)).rejects.toMatchObject({ code: "EFBIG" });
  });

  test("never waits for the writer of a FIFO", async () => {
    const path = join(folder, "fifo");
    execFileSync("mkfifo", [path]);
    await expect(files.read(path)).rejects.toMatchObject({ code: "EINVAL" });
  });

  test.each([
    ["a directory", "", "EISDIR"],
    ["nothing", "missing", "ENOENT"],
    ["a device", "/dev/zero", "EINVAL"],
  ])("refuses %s", async (_, name, code) => {
    const path = name.startsWith("/") ? name : join(folder, name);
    await expect(files.read(path)).rejects.toMatchObject({ code });
  });

  test.skipIf(process.getuid?.() === 0)("says when it may not", async () => {
    await expect(files.read(write("a", "", 0o000))).rejects.toMatchObject({ code: "EACCES" });
  });
});

describe("appending a line", () => {
  test("makes the file and its folders private, whatever the umask", async () => {
    const path = join(folder, "state", "sync-creds", "ledger");
    const before = process.umask(0);
    try {
      await files.appendLine(path, "one");
    } finally {
      process.umask(before);
    }

    expect(readFileSync(path, "utf8")).toBe("one\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "state", "sync-creds")).mode & 0o777).toBe(0o700);
  });

  test("never continues a line that was left unfinished", async () => {
    const path = write("ledger", "one\ntw", 0o600);
    await files.appendLine(path, "three");
    expect(readFileSync(path, "utf8")).toBe("one\ntw\nthree\n");
  });

  test("many at once leave whole lines", async () => {
    const path = join(folder, "ledger");
    const lines = Array.from({ length: 100 }, (_, index) => `${index}-`.repeat(200));
    await Promise.all(lines.map((line) => files.appendLine(path, line)));

    const written = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(written.sort()).toEqual(lines.sort());
  });
});

test("folders have a time of change, missing things none", async () => {
  const lock = join(folder, "lock");
  mkdirSync(lock);
  utimesSync(lock, 1_700_000_000, 1_700_000_000);

  expect(await files.modifiedAt(lock)).toBe(1_700_000_000_000);
  expect(await files.modifiedAt(join(folder, "missing"))).toBe(undefined);
  expect(await files.exists(lock)).toBe(true);
  expect(await files.exists(join(folder, "missing"))).toBe(false);
});

describe("running a program", () => {
  test("passes words as they are, without a shell", async () => {
    const odd = "$(id) `id`; 'a' \"b\" *\n";
    const ran = await ports.run(NODE, ["-p", "process.argv[1]", "--", odd], { timeoutMs: 20_000 });
    expect(ran).toEqual({ code: 0, stdout: `${odd}\n`, stderr: "" });
  });

  test("passes the input, and gives both outputs and the status", async () => {
    const program =
      "process.stdin.pipe(process.stdout); process.stderr.write('é'); process.exitCode = 3";
    expect(await runNode(program, { input: "in" })).toEqual({ code: 3, stdout: "in", stderr: "é" });
  });

  test("that does not read its input is no failure", async () => {
    expect(await runNode("", { input: "x".repeat(1e6) })).toMatchObject({ code: 0 });
  });

  test("keeps the first MiB of what it prints", async () => {
    const { stdout, code } = await runNode("process.stdout.write('x'.repeat(3e6))");
    expect([code, stdout.length]).toEqual([0, 1024 * 1024]);
  });

  test("that dies of a signal has no status", async () => {
    expect(await runNode("process.kill(process.pid, 'SIGKILL')")).toMatchObject({ code: null });
  });

  test("that does not exist rejects", async () => {
    const missing = ports.run(join(folder, "missing"), [], { timeoutMs: 1000 });
    await expect(missing).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("is killed when its time is over, though its own child lives on", async () => {
    const grandchild = join(folder, "pid");
    const program = `sleep 30 & echo $! > ${grandchild}; echo begun; wait`;
    const startedAt = Date.now();

    await expect(ports.run("/bin/sh", ["-c", program], { timeoutMs: 500 })).rejects.toMatchObject({
      code: "ETIMEDOUT",
    });
    expect(Date.now() - startedAt).toBeLessThan(5000);
    process.kill(Number(readFileSync(grandchild, "utf8")), "SIGKILL");
  });

  test("that has ended counts as ended, though its own child holds the output open", async () => {
    const grandchild = join(folder, "pid");
    const program = `sleep 30 & echo $! > ${grandchild}; echo begun`;

    const ran = await ports.run("/bin/sh", ["-c", program], { timeoutMs: 500 });
    expect(ran).toEqual({ code: 0, stdout: "begun\n", stderr: "" });
    process.kill(Number(readFileSync(grandchild, "utf8")), "SIGKILL");
  });
});

describe.skipIf(process.platform === "win32")("running a program several times in turn", () => {
  const runs = (...programs: string[]) =>
    Promise.all(
      ports.runInTurn?.(
        "/bin/sh",
        programs.map((text) => ["-c", text]),
      ) ?? [],
    );

  test("each run has its own words, on both streams, and its own status", async () => {
    expect(await runs("echo one", "printf é >&2; exit 255", "echo; printf two")).toEqual([
      { code: 0, stdout: "one\n", stderr: "" },
      { code: 255, stdout: "", stderr: "é" },
      { code: 0, stdout: "\ntwo", stderr: "" },
    ]);
  });

  test("words are passed as they are, and no run reads what is meant for others", async () => {
    const odd = "$(id) `id`; 'a' \"b\" *\n";
    const all = ports.runInTurn?.("/bin/sh", [
      ["-c", 'cat; echo "$1"', "sh", odd],
      ["-c", "cat; echo two"],
    ]);
    expect((await Promise.all(all ?? [])).map((ran) => ran?.stdout)).toEqual([`${odd}\n`, "two\n"]);
  });

  test("one that waits is ended; its end and those after it are not known", async () => {
    const pid = join(folder, "pid");
    const wait = `echo $$ > ${pid}; exec sleep 30`;
    expect(await runs("echo one", wait, "echo three")).toEqual([
      { code: 0, stdout: "one\n", stderr: "" },
      undefined,
      undefined,
    ]);
    await expect
      .poll(() => existsSync(`/proc/${readFileSync(pid, "utf8").trim()}/fd/0`))
      .toBe(false);
  });

  test("of a program that does not exist nothing is known", async () => {
    const all = ports.runInTurn?.("no-such-program", [["a"], ["b"]]) ?? [];
    expect(await Promise.all(all)).toEqual([undefined, undefined]);
  });
});

describe.skipIf(process.platform === "win32")("running a program gently", () => {
  test("asks it to end when its time is over, and waits for what it still has to do", async () => {
    const program = `trap 'echo ended; exit 3' TERM; echo begun; while :; do sleep 0.05; done`;
    const ran = await ports.run("/bin/sh", ["-c", program], { timeoutMs: 300, gently: true });
    expect(ran).toEqual({ code: 3, stdout: "begun\nended\n", stderr: "" });
  });

  test("keeps it out of the group that a terminal sends Ctrl-C to", async () => {
    const program = "echo $(ps -o pgid= -p $$) $$";
    const { stdout } = await ports.run("/bin/sh", ["-c", program], {
      timeoutMs: 20_000,
      gently: true,
    });
    const [group, pid] = stdout.trim().split(" ");
    expect(group).toBe(pid);
  });

  test("does not wait for what it has left running", async () => {
    const grandchild = join(folder, "pid");
    const program = `sleep 30 & echo $! > ${grandchild}; echo begun`;

    const ran = await ports.run("/bin/sh", ["-c", program], { timeoutMs: 20_000, gently: true });

    expect(ran).toEqual({ code: 0, stdout: "begun\n", stderr: "" });
    process.kill(Number(readFileSync(grandchild, "utf8")), "SIGKILL");
  });
});

test("a program gets the folder and the environment that it is given, and no other", async () => {
  const program = "console.log(process.cwd(), process.env.ONE, process.env.PATH)";
  const env = { ONE: "1", TWO: undefined };
  const options = { timeoutMs: 20_000, cwd: folder, env };
  const { stdout } = await ports.run(NODE, ["-e", program], options);
  expect(stdout).toBe(`${realpathSync(folder)} 1 undefined\n`);
});

describe.skipIf(process.platform === "win32")("a private file", () => {
  test("is for its owner alone, and so is its folder, however they were before", async () => {
    const path = write("a", "old", 0o644);
    chmodSync(folder, 0o755);
    await files.writePrivate(path, Buffer.from("new"));

    expect(readFileSync(path, "utf8")).toBe("new");
    expect([statSync(path).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  test("may lie in folders that are not there yet", async () => {
    const path = join(folder, "b", "c", "d");
    await files.writePrivate(path, Buffer.from("new"));
    expect(statSync(join(folder, "b")).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, "utf8")).toBe("new");
  });
});

test.skipIf(process.platform === "win32")(
  "a new file is for its owner alone, and takes no other's place, be that a link to nothing",
  async () => {
    const path = join(folder, "created");
    await files.create(path, Buffer.from("new"));
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    symlinkSync(join(folder, "nowhere"), join(folder, "link"));
    for (const name of ["created", "link"]) {
      const writing = files.create(join(folder, name), Buffer.from("other"));
      await expect(writing).rejects.toMatchObject({ code: "EEXIST" });
    }
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  },
);

test("a pause ends early when it is aborted", async () => {
  const pause = ports.sleep(60_000, AbortSignal.timeout(10));
  await expect(pause).rejects.toMatchObject({ name: "AbortError" });
});

test("random digits are as many as asked for, and other ones each time", () => {
  expect(ports.randomHex(16)).toMatch(/^[0-9a-f]{32}$/);
  expect(ports.randomHex(16)).not.toBe(ports.randomHex(16));
});

describe("the credentials of a home", () => {
  test("whose file is a link into another folder are found", async () => {
    mkdirSync(join(folder, ".claude"));
    symlinkSync(write("real", credentialsFile(Date.now()), 0o600), credentialsPath());

    expect((await locate()).credentials.kind).toBe("login");
  });

  test("whose file is a FIFO are refused at once", async () => {
    mkdirSync(join(folder, ".claude"));
    execFileSync("mkfifo", [credentialsPath()]);

    await expect(locate()).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      why: "it is not a regular file",
    });
  });

  test.each(["in-place", "rename"])(
    "that another program keeps rewriting (%s) are read whole, old or new",
    async (how) => {
      mkdirSync(join(folder, ".claude"));
      const versions = ["sk-ant-oat01-CANARYold", "sk-ant-oat01-CANARYnew"].map((accessToken) =>
        credentialsFile(Date.now(), { accessToken, padding: "x".repeat(20_000) }),
      );
      writeFileSync(credentialsPath(), versions[0] ?? "", { mode: 0o600 });
      const rewriter = await startRewriter(how, versions);
      try {
        const kinds = new Set<string>();
        for (let round = 0; round < 40; round++) kinds.add((await locate()).credentials.kind);
        expect([...kinds]).toEqual(["login"]);
      } finally {
        await stop(rewriter);
      }
    },
  );
});

function write(name: string, content: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function runNode(program: string, { input }: { input?: string } = {}) {
  const options = { timeoutMs: 20_000, ...(input === undefined ? {} : { input }) };
  return ports.run(NODE, ["-e", program], options);
}

function credentialsPath(): string {
  return join(folder, ".claude", ".credentials.json");
}

function locate() {
  return locateCredentials(nodePorts({ home: folder, env: {}, platform: "linux" }));
}

/**
 * A program that writes the versions in turn, in two halves, some ten times a second: far more often than Claude Code
 * does, and with rests that a busy machine leaves it too.
 */
async function startRewriter(how: string, versions: readonly string[]): Promise<ChildProcess> {
  const program = join(folder, "rewriter.cjs");
  writeFileSync(
    program,
    `const fs = require("node:fs");
     const [path, how, ...versions] = process.argv.slice(2);
     const target = how === "rename" ? path + ".new" : path;
     let turn = 0;
     setInterval(() => {
       const text = versions[turn++ % versions.length];
       const half = text.length >> 1;
       fs.writeFileSync(target, text.slice(0, half), { mode: 0o600 });
       setTimeout(() => {
         fs.appendFileSync(target, text.slice(half));
         if (how === "rename") fs.renameSync(target, path);
       }, 2);
     }, 90);
     process.send("begun");`,
  );
  const child = fork(program, [credentialsPath(), how, ...versions]);
  await once(child, "message");
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
