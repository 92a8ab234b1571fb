import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { isProgram } from "./programs.ts";

/** Three computers in a row: this one, a gate, and one that only the gate reaches. */
export interface Row extends Disposable {
  readonly gate: { readonly namespace: string; readonly address: string };
  readonly inner: { readonly namespace: string; readonly address: string };
}

const IP = ["/usr/sbin/ip", "/sbin/ip", "/bin/ip"].find(isProgram);

/** Whether network namespaces can be made here: that needs root and iproute2. In CI they must. */
export const hasNamespaces: boolean = (IP !== undefined && process.getuid?.() === 0) || missing();

/** Makes two namespaces and the cables between them; disposing takes them away. */
export function makeRow(): Row {
  const id = `sc${randomBytes(4).toString("hex")}`;
  const gate = `${id}g`;
  const inner = `${id}i`;
  const ip = (line: string): void => void execFileSync(IP ?? "ip", line.split(" "));
  const remove = (): void => {
    for (const name of [gate, inner]) {
      try {
        ip(`netns del ${name}`);
      } catch {
        // It was never made.
      }
    }
  };
  try {
    // Addresses of TEST-NET-3 and TEST-NET-2, which nobody has.
    ip(`netns add ${gate}`);
    ip(`netns add ${inner}`);
    ip(`link add ${id}a type veth peer name ${id}b netns ${gate}`);
    ip(`-n ${gate} link add ${id}c type veth peer name ${id}d netns ${inner}`);
    ip(`addr add 203.0.113.1/30 dev ${id}a`);
    ip(`link set ${id}a up`);
    for (const [namespace, device, address] of [
      [gate, `${id}b`, "203.0.113.2/30"],
      [gate, `${id}c`, "198.51.100.1/30"],
      [inner, `${id}d`, "198.51.100.2/30"],
    ] as const) {
      ip(`-n ${namespace} addr add ${address} dev ${device}`);
      ip(`-n ${namespace} link set ${device} up`);
      ip(`-n ${namespace} link set lo up`);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return {
    gate: { namespace: gate, address: "203.0.113.2" },
    inner: { namespace: inner, address: "198.51.100.2" },
    [Symbol.dispose]: remove,
  };
}

function missing(): false {
  if (process.env["CI"]) throw new Error("network namespaces need root and iproute2, also in CI");
  console.warn("\n*** SKIPPED: network namespaces need root and iproute2 ***\n");
  return false;
}
