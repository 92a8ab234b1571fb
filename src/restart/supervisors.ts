import type { Host, Restart } from "../hosts/host.ts";

/** What the remote half needs to know to find, restart and watch the wrapper. */
export type Recipe = Readonly<Record<string, string | number>>;

/** The recipe of a host. Total over every kind of supervisor: a new kind does not compile until it stands here. */
export function recipeOf({ restart, wrapper, stabilityMs }: Host): Recipe {
  const watch = {
    port: portOf(wrapper.url),
    start: Math.ceil(wrapper.startTimeoutMs / 1000),
    stability: stabilityMs,
  };
  switch (restart.kind) {
    case "systemd":
      return { ...watch, kind: "systemd", unit: restart.unit, scope: restart.scope };
    case "process":
      return {
        ...watch,
        kind: "process",
        directory: restart.directory,
        command: restart.command,
        log: restart.log,
      };
    case "docker-compose":
      return {
        ...watch,
        kind: "docker-compose",
        directory: restart.directory,
        service: restart.service,
      };
    case "docker":
      return { ...watch, kind: "docker", name: restart.container };
    case "pm2":
      return { ...watch, kind: "pm2", name: restart.name };
    case "supervisor":
      return {
        ...watch,
        kind: "supervisor",
        name: restart.program,
        ...(restart.config === undefined ? {} : { config: restart.config }),
      };
    case "launchd":
      return {
        ...watch,
        kind: "launchd",
        name: restart.label,
        scope: restart.scope,
        ...(restart.log === undefined ? {} : { log: restart.log }),
      };
    case "command":
      return {
        ...watch,
        kind: "command",
        restart: restart.restart,
        timeout: Math.ceil(restart.timeoutMs / 1000),
        ...(restart.status === undefined ? {} : { status: restart.status }),
        ...(restart.log === undefined ? {} : { log: restart.log }),
      };
    case "none":
      return { ...watch, kind: "none" };
  }
}

/** Longest time that a restart by this recipe may take, in milliseconds: stop, start, listen, stay. */
export function patienceOf({ restart, wrapper, stabilityMs }: Host): number {
  const command = restart.kind === "command" ? restart.timeoutMs : 60_000;
  return command + wrapper.startTimeoutMs + stabilityMs + 20_000;
}

/** What a restart does, for the plan; the user's own commands stand there in full. */
export function renderRestart(restart: Restart): string {
  switch (restart.kind) {
    case "systemd":
      return `restart the ${restart.scope} unit ${restart.unit}`;
    case "process":
      return `stop the wrapper's process and run \`${restart.command}\` in ${restart.directory}`;
    case "docker-compose":
      return `recreate the compose service ${restart.service} in ${restart.directory}`;
    case "docker":
      return `restart the container ${restart.container}`;
    case "pm2":
      return `restart ${restart.name} by pm2`;
    case "supervisor":
      return `restart the program ${restart.program} of supervisord`;
    case "launchd":
      return `restart the ${restart.scope} job ${restart.label} of launchd`;
    case "command":
      return `run \`${restart.restart}\``;
    case "none":
      return "no restart: the wrapper reads the file at each request";
  }
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
