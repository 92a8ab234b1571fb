// Programs that a host lacks, served by a process that stays: starting node for every word that is said to systemctl
// took longer than all else. `stand-in.ts` installs a program; what it installs sends its arguments, environment, folder
// and account here, and says and returns what comes back.
//
//   node fake-….mjs FOLDER      serves until the folder is gone; it appears as `port`, `pid` there
import { AsyncLocalStorage } from "node:async_hooks";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const END = "\0\0end-of-call\0";
const calls = new AsyncLocalStorage();

/** The folder of this stand-in, where it keeps what it knows. */
export const here = process.argv[2];

/** The call that is being served: `{ name, words, env, cwd, uid, gid }`. */
export function call() {
  return calls.getStore();
}

/** A line for its stdout. */
export function print(line) {
  call().stdout += `${line}\n`;
}

/** A line for its stderr. */
export function complain(line) {
  call().stderr += `${line}\n`;
}

/** Its exit status, and why. */
export function end(status, why) {
  if (why !== undefined) complain(why);
  call().status = status;
}

/** What is started for a caller runs in its account: `uid` and `gid` for `spawn`. */
export function account() {
  const { uid, gid } = call();
  return process.getuid() === 0 ? { uid, gid } : {};
}

/** Serves calls, each by one run of `program`. */
export function serve(program) {
  const server = createServer((socket) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (part) => {
      text += part;
      if (text.endsWith(END)) void answer(socket, text.slice(0, -END.length).split("\0"), program);
    });
    // A caller may be killed at any time.
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1", () => {
    writeFileSync(join(here, "pid"), `${process.pid}\n`);
    writeFileSync(join(here, "port.new"), `${server.address().port}\n`);
    renameSync(join(here, "port.new"), join(here, "port"));
  });
  setInterval(() => existsSync(here) || process.exit(), 1000);
}

async function answer(socket, [name, uid, gid, cwd, count, ...rest], program) {
  const pairs = rest.slice(Number(count)).map((pair) => pair.split(/=(.*)/s).slice(0, 2));
  const its = {
    name,
    words: rest.slice(0, Number(count)),
    env: Object.fromEntries(pairs),
    cwd,
    uid: Number(uid),
    gid: Number(gid),
    stdout: "",
    stderr: "",
    status: 0,
  };
  try {
    await calls.run(its, program);
  } catch (error) {
    its.stderr += `${error.stack}\n`;
    its.status = 70;
  }
  const { stdout, stderr, status } = its;
  socket.end(`printf %s ${quote(stdout)}; printf %s ${quote(stderr)} >&2; exit ${status}\0`);
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
