import { describe, expect, test } from "vitest";
import { parseInventory } from "../../../src/hosts/ansible.ts";
import type { Found } from "../../../src/hosts/candidates.ts";
import { failureOf } from "./a-hosts-file.ts";

describe("a host of an inventory", () => {
  test.each([
    ["nothing is said", {}, { ssh: "web-1" }],
    ["an address", { ansible_host: "192.0.2.7" }, { ssh: "192.0.2.7" }],
    [
      "all of it, numbers as YAML reads them",
      {
        ansible_host: "web-1.example.com",
        ansible_user: "deploy",
        ansible_port: 2222,
        ansible_ssh_private_key_file: "~/.ssh/id_web",
      },
      { ssh: "deploy@web-1.example.com:2222", identityFile: "~/.ssh/id_web" },
    ],
    ["IPv6", { ansible_host: "2001:db8::7", ansible_port: "22" }, { ssh: "[2001:db8::7]:22" }],
    ["bare IPv6", { ansible_host: "2001:db8::7" }, { ssh: "2001:db8::7" }],
    [
      "what names SSH wins",
      { ansible_user: "ann", ansible_ssh_user: "deploy" },
      { ssh: "deploy@web-1" },
    ],
    [
      "text that a plugin brought",
      { ansible_host: { __ansible_unsafe: "192.0.2.7" } },
      { ssh: "192.0.2.7" },
    ],
    [
      "another account",
      { ansible_become: "yes", ansible_become_user: "claude" },
      { ssh: "web-1", runAs: "claude" },
    ],
    [
      "another account that is not in use",
      { ansible_become: false, ansible_become_user: "claude" },
      { ssh: "web-1" },
    ],
  ])("%s", (_, variables, entry) => {
    expect(hostWith(variables)).toMatchObject({ name: "web-1", entry, notes: [] });
    expect(hostWith(variables).obstacle).toBeUndefined();
  });

  test.each([
    ["local", "it is this computer (ansible_connection is local)"],
    ["community.docker.docker", "its ansible_connection is not SSH"],
  ])("with the connection %s is left out", (ansible_connection, obstacle) => {
    expect(hostWith({ ansible_connection })).toMatchObject({ obstacle });
  });

  test.each(["ssh", "smart", "paramiko", "ansible.builtin.ssh"])(
    "with the connection %s is reached by SSH",
    (ansible_connection) => {
      expect(hostWith({ ansible_connection }).obstacle).toBeUndefined();
    },
  );

  test("whose address is a template is left out", () => {
    expect(hostWith({ ansible_host: "{{ inventory_hostname }}.example.com" })).toMatchObject({
      obstacle: "its address is a template that only Ansible can fill in",
    });
  });

  test("its secrets are named, never shown; options that belong elsewhere are named too", () => {
    const host = hostWith({
      ansible_password: "CANARY-1",
      ansible_ssh_pass: { __ansible_vault: "CANARY-2" },
      ansible_become_password: "CANARY-3",
      ansible_ssh_common_args: "-J bastion.example.com",
      ansible_ssh_private_key_file: "keys/web",
      ansible_become: true,
      ansible_become_user: "claude",
      ansible_become_method: "su",
      ansible_python_interpreter: "/usr/bin/python3",
    });
    expect(JSON.stringify(host)).not.toContain("CANARY");
    expect(host.entry).toEqual({ ssh: "web-1" });
    expect(host.notes).toEqual([
      "ansible_password is not taken over: hosts.json holds no secret",
      "ansible_ssh_pass is not taken over: hosts.json holds no secret",
      "ansible_become_password is not taken over: hosts.json holds no secret",
      "ansible_ssh_common_args is not taken over: its place is ~/.ssh/config",
      "ansible_ssh_private_key_file is not taken over: it is no absolute path",
      "ansible_become_user is not taken over: `runAs` needs sudo",
    ]);
  });
});

test("hosts without variables count, and groups reach down to their children, in a circle too", () => {
  const hosts = parse({
    _meta: { hostvars: { "web-1": { ansible_host: "192.0.2.1" } } },
    all: { children: ["ungrouped", "prod"] },
    ungrouped: { hosts: ["lonely"] },
    prod: { children: ["web", "db"] },
    web: { hosts: ["web-1", "web-2"], children: ["prod"] },
    db: { hosts: ["db-1"] },
    __proto__x: "no group",
  });
  expect(hosts.map(({ name, groups }) => [name, groups.join(" ")])).toEqual([
    ["web-1", "prod web"],
    ["lonely", ""],
    ["web-2", "prod web"],
    ["db-1", "prod web db"],
  ]);
});

test.each([
  ["no JSON", '{"_meta": {"hostvars": {"a": {"ansible_password": "CANARY" oops', /^it is not JSON/],
  ["an INI inventory", "[web]\nweb-1 ansible_password=CANARY", /^it is not JSON/],
  ["JSON of another kind", '{"hosts": {"a": "CANARY"}}', /no `_meta\.hostvars`/],
  ["a list", "[]", /no `_meta\.hostvars`/],
])("%s is refused without a word of it", (_, text, why) => {
  const error = failureOf(() => parseInventory(text, "inv.json"));
  expect(error).toMatchObject({ code: "USAGE", message: "inv.json is no inventory" });
  expect(error.why).toMatch(why);
  expect(
    JSON.stringify([error.message, error.why, error.next, error.stack, error.cause]),
  ).not.toContain("CANARY");
});

function parse(inventory: object): Found[] {
  return parseInventory(JSON.stringify(inventory), "inv.json");
}

function hostWith(variables: object): Found {
  return parse({ _meta: { hostvars: { "web-1": variables } } })[0]!;
}
