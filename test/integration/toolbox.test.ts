import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { nodePorts } from "../../src/node-ports.ts";
import { probe } from "../../src/probe/probe.ts";
import { renderCommand } from "../../src/remote/command-line.ts";
import { Answer, AnswerReader } from "../../src/remote/frames.ts";
import { parseHostFiles } from "../../src/remote/host-files.ts";
import { loadScript } from "../../src/remote/script.ts";
import { treeOf } from "../support/host-state.ts";
import { WITHOUT_PERL, makeLocalHome, writeHostFile } from "../support/local-half.ts";
import { isProgram } from "../support/programs.ts";
import { renderHostLogin, tokens } from "../support/stage.ts";

const SCRIPT = (await loadScript(nodePorts().files)).toString();
const WHAT_RUNS = "\ncase ${1-serve} in\nserve) serve ;;";
/** Kinds of login, by what the script then works with. */
const ENVIRONMENTS = { toolbox: {}, programs: WITHOUT_PERL };

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-tools-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a piece of shell with the script's functions at hand; what it printed. */
function run(
  kind: keyof typeof ENVIRONMENTS,
  piece: string,
  {
    cwd = tmpdir(),
    input = "",
    isCrowded = false,
  }: { cwd?: string; input?: string | Buffer; isCrowded?: boolean } = {},
): string {
  expect(SCRIPT).toContain(WHAT_RUNS);
  const functions = SCRIPT.slice(0, SCRIPT.lastIndexOf(WHAT_RUNS));
  const script = `${functions}\nno_fields\ncase $with_toolbox in yes) use_toolbox ;; esac\n${piece}\n`;
  const env = { PATH: process.env["PATH"], HOME: cwd, ...ENVIRONMENTS[kind] };
  const all = Buffer.concat([Buffer.from(script), Buffer.from(input)]);
  // A login with a stream more than it should have: then the pipes are not where the shell looks for them.
  const login = isCrowded ? "exec 3</dev/null; " : "";
  const command = `${login}${renderCommand(script, { withToolbox: true })}`;
  const how = { cwd, env, input: all, encoding: "utf8", timeout: 20_000 } as const;
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", command], how);
  expect(stderr).toBe("");
  return stdout;
}

const withoutTimes = (tree: Record<string, string>) =>
  Object.entries(tree).map(([name, entry]) => `${name} ${entry.replaceAll(/\d{13}[.\d]*/g, "-")}`);

describe.skipIf(!isProgram("/usr/bin/perl"))("the toolbox", () => {
  test("is there where perl is, and nowhere else", () => {
    expect(run("toolbox", 'echo "$with_toolbox"; tool clock && echo "$reply"')).toMatch(
      /^yes\n\d{10}\n$/,
    );
    expect(run("programs", 'echo "$with_toolbox"; tool clock || echo "$reply"')).toBe("no\n2\n");
  });

  test("stays closed where its pipes are not found, and all goes on without it", () => {
    const piece = `echo "$with_toolbox"; export -p | grep -c sync_creds
      as=; f_size=5; create taken && receive taken && read -r rest && echo "$rest"; cat taken`;
    const [cwd, input] = [makeFolder(), "12345the rest\n"];
    const said = run("toolbox", piece, { cwd, input, isCrowded: true });
    expect(said).toBe("no\n0\nthe rest\n12345");
  });

  test("leaves no variable and no pipe of its own to what a user starts", () => {
    const piece = `folder=$PWD; bounded 5 'export -p; ls /proc/self/fd'; echo "$told"`;
    const cwd = makeFolder();
    const [by, without] = [run("toolbox", piece, { cwd }), run("programs", piece, { cwd })];
    expect(by.replaceAll(/^.*PERL.*\n/gm, "")).toBe(without.replaceAll(/^.*PERL.*\n/gm, ""));
    expect(by).not.toMatch(/sync_creds|whole|with_toolbox/);
  });

  test.each([
    ["moves, also over a file", "printf 1 >a; printf 2 >b; mv a c; mv -f c b"],
    ["links", "printf 1 >a; ln a b"],
    [
      "makes folders, with all above them",
      "umask 077; mkdir -p 'x y/z' /; mkdir one; mkdir -p one",
    ],
    ["sets a mode", "printf 1 >a; chmod 640 a; chmod 600 a"],
    ["removes what is there", "printf 1 >a; rm -f a nothing; mkdir b; rm -rf b"],
    ["flushes files and folders", "printf 1 >a; flush a . && echo fine"],
  ])("%s as the programs do", (_, piece) => {
    const ends = (["toolbox", "programs"] as const).map((kind) => {
      const cwd = makeFolder();
      return [run(kind, `${piece}; echo "$?"`, { cwd }), withoutTimes(treeOf(cwd))];
    });
    expect(ends[0]).toEqual(ends[1]);
    expect(ends[0]?.[0]).toMatch(/0\n$/);
  });

  test.each([
    ["mv nothing there", "No such file or directory"],
    ["ln a a", "File exists"],
    ["mkdir a", "File exists"],
    ["mkdir -p a/b", /File exists|Not a directory/],
    ["chmod 600 nothing", "No such file or directory"],
    ["rm -f folder", "Is a directory"],
    ["flush nothing", "No such file or directory"],
  ])("`%s` fails for the same reason as the programs'", (piece, why) => {
    for (const kind of ["toolbox", "programs"] as const) {
      const cwd = makeFolder();
      writeFileSync(join(cwd, "a"), "");
      mkdirSync(join(cwd, "folder"));
      const said = run(kind, `try ${piece} || echo "failed: $told"`, { cwd });
      expect(said).toMatch(/^failed: /);
      expect(said).toMatch(why);
    }
  });

  test.each([
    [
      "keeps a file under a second name, and does not mind being asked twice",
      "keep a b; keep a b",
      1,
    ],
    ["copies a file that has a second name already", "ln a c; keep a b; keep a b", 2],
  ])("%s", (_, piece, files) => {
    const ends = (["toolbox", "programs"] as const).map((kind) => {
      const cwd = makeFolder();
      writeFileSync(join(cwd, "a"), "as it was", { mode: 0o640 });
      utimesSync(join(cwd, "a"), 1, 1.5);
      const said = run(kind, `${piece}; echo "$?"`, { cwd });
      const { mode, mtimeMs } = statSync(join(cwd, "b"));
      expect(readFileSync(join(cwd, "b"), "utf8")).toBe("as it was");
      if (kind === "toolbox") {
        const inodes = ["a", "b"].map((name) => statSync(join(cwd, name)).ino);
        expect(new Set(inodes).size).toBe(files);
      }
      return [said, mode, mtimeMs];
    });
    expect(ends[0]).toEqual(["0\n", 0o100640, 1500]);
    expect(ends[1]).toEqual(ends[0]);
  });

  test("takes exactly what comes behind a request, and leaves the rest", () => {
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256));
    const cwd = makeFolder();
    const piece = `f_size=${sent.length}; create taken && receive taken && read -r rest && echo "$rest"`;
    const input = Buffer.concat([sent, Buffer.from("the rest\n")]);
    expect(run("toolbox", `as=; ${piece}`, { cwd, input })).toBe("the rest\n");
    expect(readFileSync(join(cwd, "taken"))).toEqual(sent);
  });

  test("takes all of it where the disk takes nothing, and says why", () => {
    const piece = 'f_size=5; receive /dev/full || echo "$told"; read -r rest && echo "$rest"';
    expect(run("toolbox", piece, { input: "12345the rest\n" })).toMatch(
      /No space left on device.*\nthe rest\n$/,
    );
  });

  test("knows who listens, since when a process runs, and which sockets it has", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const piece = `find_listener ${port}; echo "$socket $socket_uid"
      start_of ${process.pid}; echo "$began"; start_of 4194304; echo "gone:$began"
      holds ${process.pid} "$socket" && echo holds; holds ${process.pid} 1 || echo "holds not"
      find_holder "$socket"; echo "$holder"; find_holder 1 || echo "nobody:$holder"
      find_listener 1; echo "none:$socket"`;
    const said = run("toolbox", piece);
    expect(said).toBe(run("programs", piece));
    const uid = process.getuid?.();
    expect(said).toMatch(
      new RegExp(
        String.raw`^\d+ ${uid}\n\d+\ngone:\nholds\nholds not\n${process.pid}\nnobody:\nnone:\n$`,
      ),
    );
  });

  test("waits for a process to have a socket, but not for one that is gone, or cannot be looked into", () => {
    const piece = `soon() { start_of "$1"; tool socket "$1" "\${2-$began}" "\${3-9}"; echo "$reply"; }
      perl -e 'select undef, undef, undef, 0.1; socket S, 1, 1, 0; sleep 9' </dev/null >/dev/null 2>&1 4>&- 5<&- & late=$!
      perl -e 'sleep 9' </dev/null >/dev/null 2>&1 4>&- 5<&- & never=$!
      soon "$late"; soon "$never" "$began" 0.05; soon "$late" 1; kill "$late" "$never"; soon 4194304 ""`;
    expect(run("toolbox", piece)).toBe("yes\nno\nno\n2\n");
  });

  test("finds the names in files and processes that the programs find", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "plain"), "PATH=/bin\n");
    writeFileSync(join(cwd, "named"), "export ANTHROPIC_API_KEY=x\n");
    const env = { CLAUDE_CONFIG_DIR: "/srv" };
    const child = spawn("/bin/sh", ["-c", "echo up; read -r end"], { env, stdio: "pipe" });
    onTestFinished(() => void child.kill());
    await once(child.stdout, "data");
    const piece = `for files in plain named 'plain named' nothing /proc/${child.pid}/environ; do
      lack_names $files && echo "$files"; done`;
    for (const kind of ["toolbox", "programs"] as const) {
      expect(run(kind, piece, { cwd })).toBe("plain\n");
    }
  });

  test("keeps the variables of a process to the byte", async () => {
    const env = {
      PLAIN: "1",
      QUOTED: `it's "quoted" \\ $HOME \`x\``,
      LINES: "one\ntwo\n",
      EMPTY: "",
      PWD: "/not/kept",
    };
    const child = spawn("/bin/sh", ["-c", "echo up; read -r end"], { env, stdio: "pipe" });
    onTestFinished(() => void child.kill());
    await once(child.stdout, "data");
    const kept = (["toolbox", "programs"] as const).map((kind) => {
      const environment = join(makeFolder(), "environment");
      run(kind, `environment=${environment}; save_environment ${child.pid}`);
      const show = `. ${environment} && printf '%s|' "$PLAIN" "$QUOTED" "$LINES" "$EMPTY" "$PWD"`;
      return spawnSync("/bin/sh", ["-c", show], { env: {}, cwd: "/", encoding: "utf8" }).stdout;
    });
    expect(kept[0]).toBe(`1|${env.QUOTED}|${env.LINES}||/|`);
    expect(kept[1]).toBe(kept[0]);
  });

  test("shows files as the programs do, whatever they are", () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "text"), Buffer.from([0, 1, 255, 10, 39]));
    chmodSync(join(cwd, "text"), 0o4751);
    writeFileSync(join(cwd, "long"), "x".repeat(262_200));
    symlinkSync("text", join(cwd, "link"));
    symlinkSync("nowhere", join(cwd, "dangling"));
    mkdirSync(join(cwd, "folder"));
    chmodSync(join(cwd, "folder"), 0o1777);
    const names = ["text", "long", "link", "dangling", "folder", "nothing"];
    const paths = names.map((name) => `"$PWD/${name}"`).join(" ");
    const piece = `nonce=n verb=read out="
"; say before=1; tell_files 1 "$PWD" ${paths}`;
    const seen = (["toolbox", "programs"] as const).map((kind) => {
      const facts = new AnswerReader("n").read(Buffer.from(run(kind, piece, { cwd })));
      expect(facts.at(0)).toEqual({ key: "before", value: "1" });
      expect(facts.at(-1)).toEqual({ key: "end", value: "read" });
      return parseHostFiles(new Answer(facts));
    });
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.get(join(cwd, "text"))).toMatchObject({ mode: "-rwsr-x--x", links: 1 });
    expect([...(seen[0]?.keys() ?? [])]).toHaveLength(5);
  });

  test("tells as much free space as `df`, to a tenth", () => {
    const piece = 'dir=$HOME; out=; free_space; printf "%s" "$out"';
    const free = Number(/free=(\d+)/.exec(run("toolbox", piece))?.[1]);
    const told = Number(run("programs", piece).split("\n")[2]?.split(/ +/)[3]);
    expect(Math.abs(free - told)).toBeLessThan(told / 10);
  });
});

test("where perl is there and does not run, the remote half does without", async () => {
  using host = await makeLocalHome();
  const before = writeHostFile(host, renderHostLogin(tokens.other));
  const libraries = join(host.home, "libraries");
  mkdirSync(libraries);
  // As it is while a system is half upgraded.
  writeFileSync(join(libraries, "libcrypt.so.1"), "");
  const environment = { LD_LIBRARY_PATH: libraries };
  const perl = spawnSync("/usr/bin/perl", ["-e", "0"], { env: environment });
  expect(perl.status).not.toBe(0);
  const { half, run: id } = await host.open(["dash"], undefined, environment);
  const report = await probe(half, id, {}, host.recipe);
  expect(report.file).toEqual(before);
  half.end();
});
