import * as z from "zod/mini";
import { restart } from "./restart-schema.ts";
import { parseSshTarget } from "./ssh-target.ts";
import {
  accountName,
  fileText,
  hostKeyFingerprint,
  localPath,
  milliseconds,
  name,
  remotePath,
} from "./values.ts";
import { secretReference, wrapper } from "./wrapper-schema.ts";

const ssh = z.pipe(
  z
    .string()
    .check(
      z.minLength(1),
      z.maxLength(600),
      z.describe("`user@host:port`, or an alias of ~/.ssh/config"),
    ),
  z.transform((address, context) => {
    const target = parseSshTarget(address);
    if (target !== undefined) return target;
    const message =
      "must be an alias, `user@host`, `user@host:port`, `user@[v6]:port` or `ssh://user@host:port`, without characters that OpenSSH refuses";
    context.issues.push({ code: "custom", message, input: address });
    return z.NEVER;
  }),
);

const switchEdit = z.strictObject({
  file: remotePath.check(z.describe("The file on the host")),
  find: fileText.check(z.describe("Stands there exactly once while the switch is off")),
  put: fileText.check(z.describe("Stands there instead while it is on")),
  restart: z.exactOptional(restart),
  wrapper: z.exactOptional(
    wrapper.check(z.describe("Who is asked afterwards, where it is not the host's own wrapper")),
  ),
});

/** What a host may say, and `defaults` may say for all of them. */
const settings = {
  delivery: z.exactOptional(
    z.enum(["access-token", "setup-token", "api-key", "full-login", "own-login"]).check(
      z.meta({
        description:
          "What lands on the host: an access token, a setup token, an API key, the whole login, or nothing",
        default: "access-token",
      }),
    ),
  ),
  place: z.exactOptional(
    z
      .enum(["file", "env", "helper"])
      .check(
        z.describe(
          "How it lands: `file` or `env` for a setup token, `env` or `helper` for an API key",
        ),
      ),
  ),
  token: z.exactOptional(
    secretReference.check(z.describe("Where the setup token of delivery `setup-token` stands")),
  ),
  apiKey: z.exactOptional(
    secretReference.check(
      z.describe("Where the key of delivery `api-key`, or of `backup`, stands"),
    ),
  ),
  backup: z.exactOptional(
    z.literal("api-key").check(z.describe("Lies ready on the host for `sync-creds failover`")),
  ),
  envFile: z.exactOptional(
    remotePath.check(
      z.describe("An env file on the host that its supervisor reads; by default one of our own"),
    ),
  ),
  project: z.exactOptional(
    remotePath.check(z.describe("The folder that the wrapper works in, for settings and `.env`")),
  ),
  switches: z.exactOptional(
    z
      .record(name, switchEdit)
      .check(z.describe("Text edits that `sync-creds switch` turns on and off")),
  ),
  wrapper: z.exactOptional(
    wrapper.check(z.describe("The HTTP service in front of Claude Code, as the host sees it")),
  ),
  restart: z.exactOptional(restart),
  identityFile: z.exactOptional(localPath.check(z.describe("Private key to log in with"))),
  knownHosts: z.exactOptional(localPath.check(z.describe("File with the key of the host"))),
  hostKey: z.exactOptional(hostKeyFingerprint.check(z.describe("Pinned key of the host"))),
  transport: z.exactOptional(
    z.enum(["auto", "node", "openssh"]).check(
      z.meta({
        description:
          "What speaks SSH: this program, the system's `ssh`, or whichever the host needs",
        default: "auto",
      }),
    ),
  ),
  runAs: z.exactOptional(
    accountName.check(z.describe("Account that owns the wrapper's login, through `sudo -n -u`")),
  ),
  configDir: z.exactOptional(
    remotePath.check(z.describe("Claude's configuration directory on the host")),
  ),
  tags: z.exactOptional(
    z.array(name).check(z.maxLength(32), z.describe("Select the host with `tag:NAME`")),
  ),
  deadlineMs: z.exactOptional(milliseconds(1, 180_000, "Longest time for the whole host")),
  stabilityMs: z.exactOptional(
    milliseconds(0, 1_000, "How long the new process must stay the same to count as up"),
  ),
  confirmTimeoutMs: z.exactOptional(
    milliseconds(5_000, 60_000, "Silence after which the host undoes an unconfirmed change"),
  ),
};

const amount = z.pipe(
  z
    .union([z.int().check(z.minimum(0), z.maximum(9_999)), z.string().check(z.regex(/^\d{1,3}%$/))])
    .check(z.describe("A number of hosts, or a share of all such as `25%`")),
  z.transform((value) =>
    typeof value === "number" ? { count: value } : { percent: Number(value.slice(0, -1)) },
  ),
);

const group = z.strictObject({
  hosts: z.array(name).check(z.minLength(1), z.maxLength(1_000)),
  confirm: z.exactOptional(z.boolean().check(z.describe("Ask before a run that names this group"))),
  canary: z.exactOptional(
    name.check(z.describe("Goes first and alone; the rest only if it ends well")),
  ),
  waves: z.exactOptional(
    z
      .array(amount)
      .check(z.minLength(1), z.maxLength(32), z.describe("Sizes of the waves; the last repeats")),
  ),
  maxFailures: z.exactOptional(
    amount.check(z.describe("More than these stop the run before its next wave")),
  ),
});

/** hosts.json as it stands in the file: strict, before defaults are applied. */
export const hostsSchema = z.strictObject({
  $schema: z.exactOptional(z.string().check(z.maxLength(1_024))),
  sshConfig: z.exactOptional(
    localPath.check(z.describe("ssh_config to use instead of your own, as `ssh -F`")),
  ),
  defaults: z.exactOptional(
    z.strictObject(settings).check(z.describe("What every host says unless it says otherwise")),
  ),
  groups: z.exactOptional(z.record(name, group)),
  hosts: z.record(name, z.strictObject({ ssh, ...settings })),
});

/** The content of a valid hosts.json, before defaults are applied. */
export type HostsContent = z.infer<typeof hostsSchema>;
