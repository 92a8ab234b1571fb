/** What `ansible-inventory --list` says about hosts, as hosts.json would say it. */
import * as z from "zod/mini";
import { SyncCredsError } from "../errors.ts";
import type { Found } from "./candidates.ts";

type Variables = Readonly<Record<string, unknown>>;

const group = z.looseObject({
  hosts: z.optional(z.array(z.string())),
  children: z.optional(z.array(z.string())),
});
const inventory = z.looseObject({
  _meta: z.looseObject({ hostvars: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

/** Groups that every inventory has: they say nothing about a host. */
const NO_GROUPS = new Set(["_meta", "all", "ungrouped"]);
const SSH_CONNECTIONS = /^(?:ansible\.\w+\.)?(?:ssh|smart|paramiko|paramiko_ssh)$/;
const SECRET = /^ansible_.*(?:pass|password|passphrase|secret|token|pin)$/;
/** What may be needed to reach the host, and has its place in ~/.ssh/config. */
const SSH_OPTIONS = /^ansible_(?:ssh_(?:common_|extra_)?args|ssh_executable|ssh_transfer_method)$/;

/**
 * The hosts of an inventory in their order, with the groups they belong to, by way of other groups too. Passwords are left
 * where they are. Error: `USAGE` when the text is no such JSON; `source` says where it comes from.
 */
export function parseInventory(text: string, source: string): Found[] {
  const all = readJson(text, source);
  const variables = all._meta.hostvars;
  const groups = Object.entries(all).flatMap(([name, value]) => {
    const parsed = name === "_meta" ? undefined : group.safeParse(value);
    return parsed?.success === true ? [[name, parsed.data] as const] : [];
  });
  const byName = new Map(groups);
  const membersOf = (name: string, seen = new Set<string>()): string[] => {
    if (seen.has(name)) return [];
    seen.add(name);
    const { hosts = [], children = [] } = byName.get(name) ?? {};
    return [...hosts, ...children.flatMap((child) => membersOf(child, seen))];
  };
  const members = groups.map(([name]) => ({ name, hosts: new Set(membersOf(name)) }));
  // A host without variables stands in groups only.
  const names = new Set([...Object.keys(variables), ...members.flatMap(({ hosts }) => [...hosts])]);
  return [...names].map((name) => {
    const own = members.filter((one) => !NO_GROUPS.has(one.name) && one.hosts.has(name));
    const said = Object.hasOwn(variables, name) ? (variables[name] ?? {}) : {};
    return readHost(
      name,
      said,
      own.map((one) => one.name),
    );
  });
}

function readJson(text: string, source: string): z.infer<typeof inventory> {
  const refuse = (why: string, cause?: unknown) =>
    new SyncCredsError("USAGE", `${source} is no inventory`, {
      why,
      next: [
        "Give it what Ansible prints: `ansible-inventory -i INVENTORY --list > inventory.json`",
        "Then `sync-creds hosts import --ansible inventory.json`",
      ],
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's own message would quote the text, and there may be passwords in it.
    const place = /position \d+(?: \(line \d+ column \d+\))?/.exec(String(error))?.[0];
    throw refuse(`it is not JSON${place === undefined ? "" : `, at ${place}`}`);
  }
  const parsed = inventory.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refuse("it has no `_meta.hostvars` with the variables of each host");
}

function readHost(name: string, variables: Variables, groups: readonly string[]): Found {
  const connection = textOf(variables, "ansible_connection") ?? "ssh";
  // What names SSH in particular wins, as it does for Ansible.
  const host = textOf(variables, "ansible_ssh_host", "ansible_host") ?? name;
  const user = textOf(variables, "ansible_ssh_user", "ansible_user");
  const port = textOf(variables, "ansible_ssh_port", "ansible_port");
  const key = textOf(variables, "ansible_ssh_private_key_file", "ansible_private_key_file");
  const account = becomeOf(variables);

  const isIpv6 = host.includes(":");
  const address = isIpv6 && (port !== undefined || user !== undefined) ? `[${host}]` : host;
  const ssh = `${user === undefined ? "" : `${user}@`}${address}${port === undefined ? "" : `:${port}`}`;
  const isKeyUsable = key === undefined || /^(?:[/~]|[A-Za-z]:)/.test(key);
  const obstacle = [
    ...(connection === "local" ? ["it is this computer (ansible_connection is local)"] : []),
    ...(connection !== "local" && !SSH_CONNECTIONS.test(connection)
      ? ["its ansible_connection is not SSH"]
      : []),
    ...([host, user, port, key].some((value) => value?.includes("{{"))
      ? ["its address is a template that only Ansible can fill in"]
      : []),
  ][0];
  return {
    name,
    groups,
    entry: {
      ssh,
      ...(key !== undefined && isKeyUsable && { identityFile: key }),
      ...(account.runAs !== undefined && { runAs: account.runAs }),
    },
    ...(obstacle !== undefined && { obstacle }),
    notes: [
      ...secretsOf(variables).map((one) => `${one} is not taken over: hosts.json holds no secret`),
      ...Object.keys(variables)
        .filter((one) => SSH_OPTIONS.test(one))
        .map((one) => `${one} is not taken over: its place is ~/.ssh/config`),
      ...(isKeyUsable
        ? []
        : ["ansible_ssh_private_key_file is not taken over: it is no absolute path"]),
      ...account.notes,
    ],
  };
}

function secretsOf(variables: Variables): string[] {
  return Object.keys(variables).filter((one) => SECRET.test(one));
}

function becomeOf(variables: Variables): { runAs?: string; notes: string[] } {
  const isOn = /^(?:true|yes|on|1)$/i.test(textOf(variables, "ansible_become") ?? "");
  const user = textOf(variables, "ansible_become_user");
  if (!isOn || user === undefined) return { notes: [] };
  const method = textOf(variables, "ansible_become_method") ?? "sudo";
  if (/(?:^|\.)sudo$/.test(method)) return { runAs: user, notes: [] };
  return { notes: ["ansible_become_user is not taken over: `runAs` needs sudo"] };
}

/** The first of the variables that says something. YAML turns `22` and `true` into other things than text. */
function textOf(variables: Variables, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = unwrap(Object.hasOwn(variables, name) ? variables[name] : undefined);
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
  }
  return undefined;
}

/** Text that Ansible has from elsewhere stands in an object that says so. */
function unwrap(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("__ansible_unsafe" in value)) return value;
  return value.__ansible_unsafe;
}
