import type { Algorithms, CipherAlgorithm, KexAlgorithm, ServerHostKeyAlgorithm } from "ssh2";

const HOST_KEY: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** Without group exchange: ssh2 tests the group for primality in JavaScript, seconds of a blocked process. */
const KEX: readonly KexAlgorithm[] = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group14-sha256",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group18-sha512",
];

/** Without ChaCha20: Terrapin (CVE-2023-48795). AES-GCM and AES-CTR are in every SSH server, so nothing is lost. */
const CIPHER: readonly CipherAlgorithm[] = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
];

const OURS: Readonly<Record<"kex" | "serverHostKey" | "cipher", readonly string[]>> = {
  kex: KEX,
  serverHostKey: HOST_KEY,
  cipher: CIPHER,
};

/** Whether we speak one of the algorithms that the user allows; `undefined` allows all. */
export function canAgreeOn(
  what: keyof typeof OURS,
  allowed: readonly string[] | undefined,
): boolean {
  return allowed === undefined || allowed.some((name) => OURS[what].includes(name));
}

/**
 * What the handshake offers. Types of known host keys come first, so that the host shows the key that is
 * on record; the others that the user allows stay, so that a swapped key is seen as changed and not as "no
 * common algorithm".
 */
export function sshAlgorithms(
  knownKeyTypes: readonly string[],
  allowedHostKeys?: readonly string[],
): Algorithms {
  const isKnown = (algorithm: string): boolean =>
    knownKeyTypes.includes(algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm);
  const allowed =
    allowedHostKeys === undefined
      ? HOST_KEY
      : allowedHostKeys.flatMap((name) => HOST_KEY.find((ours) => ours === name) ?? []);
  return {
    serverHostKey: [
      ...allowed.filter(isKnown),
      ...allowed.filter((algorithm) => !isKnown(algorithm)),
    ],
    kex: [...KEX],
    cipher: [...CIPHER],
  };
}
