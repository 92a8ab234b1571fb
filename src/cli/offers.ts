import type { Host } from "../hosts/host.ts";
import { resolveStoredSecret } from "../hosts/secret-reference.ts";
import type { StoredSecret } from "../hosts/secret-reference.ts";
import type { SecretReference } from "../hosts/host.ts";
import type { Located } from "../locate/located.ts";
import { renderInstant } from "../output/time.ts";
import type { Offer } from "../plan/plan.ts";
import type { Ports } from "../ports.ts";
import { projectLogin } from "../validate/project.ts";
import { projectApiKey, projectSetupToken } from "../validate/tokens.ts";
import { verifyLogin } from "../validate/validate.ts";
import type { Secret } from "../secret.ts";

/** What this laptop has for each host, and what the user should know of it. */
export interface Offers {
  readonly offers: ReadonlyMap<Host, Offer>;
  readonly notes: readonly string[];
}

interface Means {
  /** Folder of hosts.json: relative paths in it start there. */
  readonly directory: string;
  readonly allowShortTtl: boolean;
  /** Finds the login of this laptop; called only when a host wants it. */
  readonly locate: () => Promise<Located>;
  /** Told at once what may explain a refusal. */
  readonly tell: (note: string) => void;
}

/**
 * What each host shall get: the login of this laptop cut down to its delivery, the token or key that hosts.json points
 * to, or nothing. Errors: the `CREDENTIALS_…` codes, `SECRET_UNAVAILABLE`, `SECRET_UNFIT`, `INTERRUPTED`.
 */
export async function findOffers(
  hosts: readonly Host[],
  means: Means,
  ports: Ports,
): Promise<Offers> {
  const fetch = openSecrets(means.directory, ports);
  const offers = new Map<Host, Offer>();
  const notes: string[] = [];
  const located = hosts.some(wantsLogin) ? await means.locate() : undefined;
  for (const host of hosts) {
    const spare = host.backup === undefined ? {} : { spare: await keyFor(host, fetch) };
    const { offer, remarks } = await offerFor(host, { located, fetch, ...means }, ports);
    offers.set(host, { ...offer, ...spare });
    notes.push(...remarks);
  }
  return { offers, notes: [...new Set([...notes, ...(located?.notes ?? [])])] };
}

/** Each secret is fetched once, however many hosts share it: its command may ask the user for a finger. */
export function openSecrets(directory: string, ports: Ports) {
  const fetched = new Map<string, Promise<StoredSecret>>();
  return (reference: SecretReference): Promise<StoredSecret> => {
    const key = JSON.stringify(reference);
    const secret = fetched.get(key) ?? resolveStoredSecret(reference, ports, directory);
    fetched.set(key, secret);
    return secret;
  };
}

function wantsLogin({ delivery }: Host): boolean {
  return delivery === "access-token" || delivery === "full-login";
}

interface Sources extends Means {
  readonly located: Located | undefined;
  readonly fetch: (reference: SecretReference) => Promise<StoredSecret>;
}

async function offerFor(
  host: Host,
  sources: Sources,
  ports: Ports,
): Promise<{ offer: Offer; remarks: string[] }> {
  const { fetch, located } = sources;
  const now = ports.now();
  switch (host.delivery) {
    case "own-login":
      return { offer: {}, remarks: [] };
    case "setup-token": {
      const { secret, issuedAt } = await fetch(host.token ?? { token: host.name });
      const offer = projectSetupToken(secret, issuedAt, now);
      return { offer, remarks: [originOf("setup token", offer, now)] };
    }
    case "api-key": {
      const value = await keyFor(host, fetch);
      const offer = projectApiKey(value);
      return { offer, remarks: [originOf("API key", offer, now)] };
    }
    case "access-token":
    case "full-login": {
      if (located === undefined) throw new Error("the login was not located");
      const { login, notes } = verify(located, host, sources, now);
      const offer = projectLogin(login, host.delivery);
      const what = `credentials ${offer.fingerprint} from ${located.label}`;
      return { offer, remarks: [`${what}${until(offer, now)}`, ...notes] };
    }
  }
}

function verify(located: Located, host: Host, { allowShortTtl, tell }: Means, now: number) {
  try {
    return verifyLogin(located.credentials, host.delivery, now, { allowShortTtl });
  } catch (error) {
    // A refused login has no notes, but another place may have a better one.
    for (const note of located.notes) tell(note);
    throw error;
  }
}

async function keyFor({ apiKey, name }: Host, fetch: Sources["fetch"]): Promise<Secret> {
  return projectApiKey((await fetch(apiKey ?? { token: name })).secret).value;
}

function originOf(what: string, offer: Offer, now: number): string {
  return `${what} ${offer.fingerprint ?? ""}${until(offer, now)}`;
}

function until({ validUntil }: Offer, now: number): string {
  return validUntil === undefined ? "" : `, valid until ${renderInstant(validUntil, now)}`;
}
