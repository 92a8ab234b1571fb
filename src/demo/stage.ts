import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { renderShellWord } from "../hosts/local-path.ts";
import { packageFile } from "../package-root.ts";
import type { Ports } from "../ports.ts";
import { startEmbeddedHost } from "./embedded-host.ts";
import type { EmbeddedHost } from "./embedded-host.ts";

/** A laptop and a host in one temporary folder. Paths are absolute. */
export interface Stage {
  /** The laptop's world: nothing of the real user's home and environment is in it. */
  readonly ports: Ports;
  readonly laptopFile: string;
  readonly hostFile: string;
  /** What the remote half wrote about the runs on this host: one line each. */
  readonly hostHistory: string;
  readonly wrapperUrl: string;
}

/**
 * Sets the stage, lets `play` act on it, and removes everything again however that ends: the wrapper, the host, the
 * folder. The real ports lend their clock and disk.
 */
export async function withStage<T>(real: Ports, play: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "sync-creds-demo-")));
  const laptop = join(folder, "laptop");
  const home = join(folder, "host");
  let host: EmbeddedHost | undefined;
  const port = await findFreePort();
  try {
    for (const path of [laptop, home]) await makeFolder(path, ".claude");
    await makeFolder(home, ".claude", ".sync-creds");
    await makeFolder(home, "wrapper");
    host = await startEmbeddedHost({ home, identityFile: join(laptop, "id_ed25519") });
    await write(join(laptop, "known_hosts"), `${host.knownHostsLine}\n`);
    await write(join(laptop, "hosts.json"), renderHosts(host, port));
    return await play({
      ports: portsOf(real, laptop),
      laptopFile: join(laptop, ".claude", ".credentials.json"),
      hostFile: join(home, ".claude", ".credentials.json"),
      hostHistory: join(home, ".claude", ".sync-creds", "history"),
      wrapperUrl: `http://127.0.0.1:${port}`,
    });
  } finally {
    // The host first: nobody must start another wrapper.
    await host?.close();
    await stopWrapper(join(home, ".claude", ".sync-creds", `wrapper-${port}.pid`));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Writes a file that only the user can read. */
export async function write(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
}

async function makeFolder(...parts: string[]): Promise<void> {
  await mkdir(join(...parts), { recursive: true, mode: 0o700 });
}

function renderHosts({ user, port: sshPort }: EmbeddedHost, port: number): string {
  const program = packageFile("dist", "demo", "wrapper.js");
  const demo = {
    ssh: `${user}@127.0.0.1:${sshPort}`,
    identityFile: "id_ed25519",
    knownHosts: "known_hosts",
    stabilityMs: 300,
    wrapper: { url: `http://127.0.0.1:${port}`, health: { path: "/health" } },
    restart: {
      kind: "process",
      directory: "~/wrapper",
      command: `exec ${[process.execPath, program, String(port)].map(renderShellWord).join(" ")}`,
    },
  };
  return JSON.stringify({ hosts: { demo } }, undefined, 2);
}

function portsOf(real: Ports, laptop: string): Ports {
  return {
    ...real,
    // On macOS the login would come from the real user's Keychain.
    platform: "linux",
    env: {},
    home: laptop,
    cwd: laptop,
    userName: "you",
    human: undefined,
    run: (program) => {
      const refusal = new Error(`the demo does not run ${program}`);
      return Promise.reject(Object.assign(refusal, { code: "ENOENT" }));
    },
  };
}

async function findFreePort(): Promise<number> {
  const listener = createServer();
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const address = listener.address();
  await once(listener.close(), "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Stops the process that the remote half recorded, and waits until it is gone. */
async function stopWrapper(pidFile: string): Promise<void> {
  const text = await readFile(pidFile, "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  if (!(pid > 1)) return;
  try {
    process.kill(pid, "SIGTERM");
    for (let tries = 0; tries < 100; tries++) {
      await sleep(20);
      process.kill(pid, 0);
    }
  } catch {
    // It has ended.
  }
}
