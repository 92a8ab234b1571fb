import * as z from "zod/mini";
import { milliseconds, processName, remotePath, shellLine, unitName } from "./values.ts";

const systemd = z.strictObject({
  kind: z.literal("systemd"),
  unit: unitName,
  scope: z._default(z.enum(["system", "user"]), "system"),
});

const process = z.strictObject({
  kind: z.literal("process"),
  directory: remotePath.check(z.describe("Where the command runs")),
  command: shellLine.check(
    z.describe("Starts the wrapper in the foreground; sync-creds detaches it"),
  ),
  log: z.exactOptional(
    remotePath.check(z.describe("Receives its output; `wrapper.log` in `directory` by default")),
  ),
});

const dockerCompose = z.strictObject({
  kind: z.literal("docker-compose"),
  directory: remotePath.check(z.describe("Where the compose file stands")),
  service: processName.check(z.describe("Recreated, so that its env files are read again")),
});

const docker = z.strictObject({
  kind: z.literal("docker"),
  container: processName.check(
    z.describe("Restarted; its environment stays what it was made with"),
  ),
});

const pm2 = z.strictObject({
  kind: z.literal("pm2"),
  name: processName.check(z.describe("As `pm2 list` shows it")),
});

const supervisor = z.strictObject({
  kind: z.literal("supervisor"),
  program: processName.check(z.describe("As `supervisorctl status` shows it")),
  config: z.exactOptional(
    remotePath.check(z.describe("supervisord's configuration, where it is not at its usual place")),
  ),
});

const launchd = z.strictObject({
  kind: z.literal("launchd"),
  label: processName,
  scope: z._default(z.enum(["system", "user"]), "user"),
  log: z.exactOptional(
    remotePath.check(z.describe("The wrapper's log, shown when it does not start")),
  ),
});

const command = z.strictObject({
  kind: z.literal("command"),
  restart: shellLine.check(z.describe("Restarts the wrapper and returns")),
  status: z.exactOptional(shellLine.check(z.describe("Succeeds while the wrapper runs"))),
  log: z.exactOptional(
    remotePath.check(z.describe("The wrapper's log, shown when it does not start")),
  ),
  timeoutMs: z._default(milliseconds(1, 60_000, "Longest time for the command"), 60_000),
});

const none = z.strictObject({ kind: z.literal("none") });

/** How the wrapper is restarted on the host. */
export const restart = z
  .discriminatedUnion("kind", [
    systemd,
    process,
    dockerCompose,
    docker,
    pm2,
    supervisor,
    launchd,
    command,
    none,
  ])
  .check(z.describe("How the wrapper is restarted; `none` when it starts `claude` per request"));
