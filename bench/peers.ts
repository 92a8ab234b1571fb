import { spawnSync } from "node:child_process";

/** Someone who does the same job. */
export type PeerName = "ssh" | "ansible" | "fabric";

interface Peer {
  readonly title: string;
  /** Debian's package that brings it. */
  readonly debianPackage: string;
  /** Prints its version; fails where it is missing. */
  readonly version: readonly [string, ...string[]];
}

const PEERS: Readonly<Record<PeerName, Peer>> = {
  ssh: { title: "OpenSSH", debianPackage: "openssh-client", version: ["ssh", "-V"] },
  ansible: {
    title: "Ansible",
    debianPackage: "ansible",
    version: ["/usr/bin/ansible-playbook", "--version"],
  },
  fabric: {
    title: "Fabric",
    debianPackage: "python3-fabric",
    version: ["/usr/bin/python3", "-c", "import fabric; print('fabric', fabric.__version__)"],
  },
};

/**
 * Whether a peer is here. One that is missing is installed from Debian's packages, which needs root; when it cannot be had,
 * a line says so.
 */
export function hasPeer(name: PeerName): boolean {
  const { title, debianPackage } = PEERS[name];
  if (versionOf(name) !== undefined) return true;
  console.log(`${title} is missing: installing Debian's package ${debianPackage}`);
  const argv = ["install", "-y", "-qq", "--no-install-recommends", debianPackage];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", argv, { env, stdio: ["ignore", "ignore", "inherit"] });
  const isHere = versionOf(name) !== undefined;
  if (!isHere) console.log(`${title} cannot be had here: its rows are left out`);
  return isHere;
}

/** The versions of the peers that are here, as they print them. */
export function peerVersions(): string[] {
  return (["ssh", "ansible", "fabric"] as const).flatMap((name) => versionOf(name) ?? []);
}

function versionOf(name: PeerName): string | undefined {
  const [program, ...argv] = PEERS[name].version;
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: "utf8" });
  return status === 0 ? (stdout || stderr).split("\n")[0]?.trim() : undefined;
}
