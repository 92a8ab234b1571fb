import { describe, expect, test } from "vitest";
import { isUniform } from "../../../src/connect/uniform.ts";

const NAMES = new Set(["a", "web-1.example.com", "10.0.0.7"]);

describe("a configuration tells no hosts apart", () => {
  test.each([
    "",
    "# Host a",
    " \t# Match host a\r\n\r\n \t\r\n",
    "User deploy\n\tPort=2222\n  Port = 22",
    "Host *\n SendEnv LANG LC_*",
    "HOST=*\nhost = *\nHost\t*\r\n",
    "Host * !bastion github.com",
    "Host bastion Git_Hub.com 10.0.0.70 fe80::1\n HostName b.example.net\n ProxyJump gate",
    "Host .host machine/.host\n ProxyUseFdpass yes",
    "Host unix/* unix%* vsock/* vsock%* machine/*\n ProxyCommand /usr/lib/proxy %h %p",
    "Match all\nmatch FINAL  All \n",
    "Include ~/.ssh/conf.d/*.conf\nInclude=${MORE}",
    "HostName gate.example.com",
    "HostKeyAlgorithms ssh-ed25519\nHashKnownHosts yes\nHostbasedAuthentication no",
    "IdentityFile ~/.ssh/%r@%h\nControlPath ~/.ssh/%C",
    "Host",
  ])("%j", (config) => {
    expect(isUniform(config, NAMES)).toBe(true);
  });
});

describe("a configuration may tell hosts apart", () => {
  test.each([
    "Host a",
    "host A",
    "Host bastion a",
    "Host * !a",
    "Host !a",
    "Host 10.0.0.7",
    "Host=web-1.example.com",
    "Host = a",
    " \t hOsT\ta",
    "Host a\r\n",
    '"Host" a',
    'Host "a"',
    'Host "bastion"',
    'Host"a"',
    "=Host a",
    " = Host a",
    "Host\ra",
    "Host bastion\ra",
    "Host\va",
    "\fHost a",
    "\uFEFFHost a",
    "\0Host a",
    "Host \\a",
    "Host b=a",
    "Host web-*",
    "Host ?",
    "Host **",
    "Host !*",
    "Host *.example.com",
    "Host bastion # a",
    "Host *\f",
    "Host unix/* web-*",
    "User deploy\nHost a",
    "User deploy\rPort 22\nHost a",
    "Match host a",
    "Match host *",
    "match=all",
    "Match !all",
    "Match final",
    "Match final host a",
    "Match canonical all",
    "Match exec true",
    'Match "all"',
    "Match all host a",
    "Match",
    "Include ~/.ssh/%h",
    "include=conf.d/%n/*",
    "HostName %h.example.com",
    "hostname=0%h",
    "CanonicalizeHostname no",
    "canonicaldomains example.com",
    "CanonicalizePermittedCNAMEs=*:*",
  ])("%j", (config) => {
    expect(isUniform(config, NAMES)).toBe(false);
  });
});
