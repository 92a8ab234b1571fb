import { connect } from "../connect/connect.ts";
import { SyncCredsError } from "../errors.ts";
import { loadHosts } from "../hosts/load.ts";
import type { Ports } from "../ports.ts";
import { probe } from "../probe/probe.ts";
import { RemoteHalf } from "../remote/remote-half.ts";
import { loadScript } from "../remote/script.ts";
import { restart } from "../restart/restart.ts";
import { patienceOf, recipeOf } from "../restart/supervisors.ts";

/**
 * Starts the wrapper of the one host of hosts.json as a push would restart it, without changing a file: so it is known
 * to the remote half from the beginning. Errors: those of connecting, `RESTART_FAILED`.
 */
export async function startWrapper(ports: Ports, signal: AbortSignal): Promise<void> {
  const [host] = (await loadHosts(ports)).hosts;
  if (host === undefined) throw new Error("the demo's hosts.json names no host");
  const session = await connect(host, ports, { signal });
  try {
    const script = await loadScript(ports.files);
    const half = new RemoteHalf(session, script, ports.randomHex(16));
    const run = ports.randomHex(8);
    await probe(half, run, host, recipeOf(host));
    const { failure } = await restart(half, run, patienceOf(host)).done;
    if (failure === undefined) return;
    throw new SyncCredsError("RESTART_FAILED", "the demo's wrapper does not start", {
      why: JSON.stringify(failure),
    });
  } finally {
    session.close();
  }
}
