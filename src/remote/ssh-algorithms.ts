import type { Algorithms, ServerHostKeyAlgorithm } from "ssh2";

const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/**
 * What the handshake offers. Types of known host keys come first, so that the host shows the key that is
 * on record; the others stay, so that a swapped key is seen as changed and not as "no common algorithm".
 */
export function sshAlgorithms(knownKeyTypes: readonly string[]): Algorithms {
  const isKnown = (algorithm: string): boolean =>
    knownKeyTypes.includes(algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm);
  return {
    serverHostKey: [
      ...HOST_KEY_ALGORITHMS.filter(isKnown),
      ...HOST_KEY_ALGORITHMS.filter((algorithm) => !isKnown(algorithm)),
    ],
    // ssh2 tests the group for primality in JavaScript: seconds of a blocked process.
    kex: without("diffie-hellman-group-exchange-sha256"),
    // Terrapin (CVE-2023-48795): AES-GCM and AES-CTR are in every SSH server, so nothing is lost.
    cipher: without("chacha20-poly1305@openssh.com"),
  };
}

function without<T>(...algorithms: T[]) {
  return { append: [], prepend: [], remove: algorithms };
}
