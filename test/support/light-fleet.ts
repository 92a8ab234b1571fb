import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFleet } from "../../bench/fleet.ts";
import type { FleetHost } from "../../bench/fleet.ts";
import { renderLogin, startCli, tokens } from "./stage.ts";
import type { Ended, Running } from "./stage.ts";

export interface LightHost extends FleetHost {
  /** Its credentials file. */
  readonly hostFile: string;
}

/** A laptop and many hosts, `h1` to `hN`, as the bench has them: wrappers of perl that read the login when they start. */
export interface LightFleet extends Disposable {
  readonly hosts: readonly LightHost[];
  readonly user: string;
  /** The port of all its sshds. */
  readonly port: number;
  /** The home of the laptop; hosts.json and `known_hosts` are in it. */
  readonly laptop: string;
  /** Rewrites hosts.json: more for all hosts, for some of them, for the file itself. */
  configure(more?: {
    readonly defaults?: object;
    readonly hosts?: Readonly<Record<string, object>>;
    readonly file?: object;
  }): void;
  logIn(accessToken: string): void;
  run(...argv: string[]): Promise<Ended>;
  start(...argv: string[]): Running;
}

/** Builds the fleet, behind `sshds` servers (one each unless told); `using` takes it down. */
export async function openLightFleet(count: number, sshds = count): Promise<LightFleet> {
  const fleet = await openFleet(count, sshds);
  const { user, port } = fleet;
  const hosts = fleet.hosts.map((host) => ({
    ...host,
    hostFile: join(host.home, ".claude", ".credentials.json"),
  }));
  const laptop = mkdtempSync(join(tmpdir(), "sync-creds-laptop-"));
  mkdirSync(join(laptop, ".claude"), { mode: 0o700 });
  const knownHosts = join(laptop, "known_hosts");
  writeFileSync(knownHosts, fleet.knownHosts(count, port));
  const env = { HOME: laptop, PATH: process.env["PATH"], XDG_STATE_HOME: join(laptop, "state") };
  const light: LightFleet = {
    hosts,
    user,
    port,
    laptop,
    configure({ defaults, hosts: some = {}, file } = {}) {
      const entries = hosts.map(({ name, address, portOffset, wrapperPort }) => {
        const wrapper = { url: `http://127.0.0.1:${wrapperPort}` };
        const ssh = `${user}@${address}:${port + portOffset}`;
        return [name, { ssh, wrapper, ...some[name] }] as const;
      });
      const all = {
        identityFile: fleet.clientKey,
        knownHosts,
        stabilityMs: 0,
        restart: { kind: "process", directory: "~/wrapper", command: "exec ./start.sh" },
        wrapper: { chat: { preset: "chat" }, health: { path: "/health" } },
        ...defaults,
      };
      const document = { ...file, defaults: all, hosts: Object.fromEntries(entries) };
      writeFileSync(join(laptop, "hosts.json"), JSON.stringify(document), { mode: 0o600 });
    },
    logIn(accessToken) {
      const path = join(laptop, ".claude", ".credentials.json");
      writeFileSync(path, renderLogin(accessToken), { mode: 0o600 });
    },
    run: (...argv) => startCli(argv, laptop, env).ended,
    start: (...argv) => startCli(argv, laptop, env),
    [Symbol.dispose]() {
      fleet[Symbol.dispose]();
      rmSync(laptop, { recursive: true, force: true });
    },
  };
  light.configure();
  light.logIn(tokens.good);
  return light;
}
