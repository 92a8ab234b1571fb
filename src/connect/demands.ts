import { canAgreeOn } from "../remote/ssh-algorithms.ts";
import type { SshConfig } from "./ssh-config.ts";

/** Options of ssh_config(5) that only the system's own `ssh` can follow, when they are set to something. */
const ONLY_OPENSSH = {
  proxycommand: "ProxyCommand",
  certificatefile: "CertificateFile",
  knownhostscommand: "KnownHostsCommand",
  revokedhostkeys: "RevokedHostKeys",
  bindinterface: "BindInterface",
  pkcs11provider: "PKCS11Provider",
} as const;

/** The same, for options that are off by default. */
const ONLY_OPENSSH_WHEN_ON = {
  hostbasedauthentication: "HostbasedAuthentication",
  verifyhostkeydns: "VerifyHostKeyDNS",
} as const;

/** What of a host's ssh configuration needs the system's `ssh`: names of options, empty for most hosts. */
export function demandsOf(config: SshConfig): string[] {
  return [
    ...Object.entries(ONLY_OPENSSH)
      .filter(([keyword]) => config.some(keyword) !== undefined)
      .map(([, option]) => option),
    ...Object.entries(ONLY_OPENSSH_WHEN_ON)
      .filter(([keyword]) => config.some(keyword) !== undefined && !config.isNo(keyword))
      .map(([, option]) => option),
    // Node binds to an address, not to a name.
    ...(/^[\d.]*$|:/.test(config.some("bindaddress") ?? "") ? [] : ["BindAddress"]),
    ...(canAgreeOn("kex", listOf(config, "kexalgorithms")) ? [] : ["KexAlgorithms"]),
    ...(canAgreeOn("serverHostKey", listOf(config, "hostkeyalgorithms"))
      ? []
      : ["HostKeyAlgorithms"]),
    ...(canAgreeOn("cipher", listOf(config, "ciphers")) ? [] : ["Ciphers"]),
  ];
}

/** A comma-separated value; `undefined` when the keyword is not there. */
export function listOf(config: SshConfig, keyword: string): string[] | undefined {
  return config.one(keyword)?.split(",");
}
