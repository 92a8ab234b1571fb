import type { Wrapper } from "../hosts/host.ts";
import { redact } from "../output/sanitize.ts";
import type { Ports } from "../ports.ts";
import type { Session } from "../remote/session.ts";
import type { Secret } from "../secret.ts";
import { exchange, interrupted, knock } from "./exchange.ts";
import type { Contact } from "./exchange.ts";
import { buildChatRequest, joinPath } from "./presets.ts";
import type { Asked, ChatRequest } from "./presets.ts";
import { explain, judgeFailure, judgeReply } from "./verdict.ts";
import type { Reply, Verdict } from "./verdict.ts";

/** What every question to a wrapper needs. */
export interface Means extends Pick<Contact, "keepUntil"> {
  readonly ports: Pick<Ports, "now" | "sleep" | "randomHex">;
  /** The wrapper's own bearer. It goes into the `authorization` header and nowhere else. */
  readonly bearer?: Secret | undefined;
  /** Fires when the user interrupts; every wait then ends with `INTERRUPTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Whether the wrapper is up, and what was last seen of it. */
export interface Health {
  readonly healthy: boolean;
  readonly detail: string;
}

/**
 * Asks one chat question and judges what comes back within `timeoutMs`, all in all.
 * Errors: `FORWARDING_REFUSED`, `CONNECTION_LOST`, `INTERRUPTED`, `CONFIG_INVALID`.
 */
export async function ask(
  session: Session,
  wrapper: Asked,
  request: ChatRequest,
  limits: { readonly timeoutMs: number } & Omit<Means, "ports">,
): Promise<Verdict> {
  const outcome = await exchange(session, {
    ...request,
    ...limits,
    url: wrapper.url,
    maxBytes: MAX_CHAT_BYTES,
  });
  if (typeof outcome === "string") return judgeFailure(outcome);
  const verdict = judgeReply(outcome, wrapper.chat, request.nonce);
  if (limits.bearer === undefined) return verdict;
  // A wrapper may quote the header it refuses: the words shown come from a reply without it.
  const shown = judgeReply(without(limits.bearer, outcome), wrapper.chat, request.nonce);
  return { ...verdict, detail: shown.detail };
}

/** How long the proof may take. */
interface Patience {
  /** For the answer, from when somebody listens. */
  readonly deadlineMs: number;
  /** Until somebody listens: the engine of a container tells when that runs, not when the wrapper in it listens. */
  readonly startMs?: number;
}

/**
 * The proof: asks until the wrapper answers or the cause is one that time does not cure. Every question has a nonce of
 * its own. Errors as `ask`.
 */
export async function smokeTest(
  session: Session,
  wrapper: Wrapper,
  { deadlineMs, startMs = 0, ...means }: Patience & Means,
): Promise<Verdict> {
  const { ports, signal } = means;
  if (wrapper.chat === undefined) {
    return judgeHealth(await pollHealth(session, wrapper, { deadlineMs, ...means }));
  }
  const giveUpAt = ports.now() + startMs;
  let deadlineAt = ports.now() + deadlineMs;
  const firstMs = Math.min(deadlineMs, wrapper.timeoutMs);
  let verdict = await askAnew(session, wrapper, firstMs, means);
  for (let attempt = 0; verdict.class === "not-running"; attempt += 1) {
    if (ports.now() >= giveUpAt) return verdict;
    await pause(ports, pollPauseMs(attempt), signal);
    deadlineAt = ports.now() + deadlineMs;
    verdict = await askAnew(session, wrapper, firstMs, means);
  }
  for (let pauseMs = 1000; explain(verdict.class, verdict.hint).retry; pauseMs *= 2) {
    if (ports.now() + pauseMs >= deadlineAt) return verdict;
    await pause(ports, pauseMs, signal);
    const timeoutMs = Math.min(deadlineAt - ports.now(), wrapper.timeoutMs);
    if (timeoutMs <= 0) return verdict;
    const next = await askAnew(session, wrapper, timeoutMs, means);
    // Running out of time says less than what the wrapper said before.
    if (next.class === "timeout") return verdict;
    verdict = next;
  }
  return verdict;
}

/** How the wrapper answers before anything is changed: one question. Errors as `ask`. */
export async function baseline(session: Session, wrapper: Wrapper, means: Means): Promise<Verdict> {
  return await askAnew(session, wrapper, wrapper.baselineTimeoutMs, means);
}

/**
 * Waits until the wrapper's health path answers 2xx, for at most `deadlineMs`. A wrapper without a health
 * path is healthy as soon as it accepts connections. Errors as `ask`.
 */
export async function pollHealth(
  session: Session,
  wrapper: Wrapper,
  { deadlineMs, ...means }: { readonly deadlineMs: number } & Means,
): Promise<Health> {
  const { ports, signal } = means;
  const deadlineAt = ports.now() + deadlineMs;
  // A third: a request that is swallowed while the wrapper starts must leave time for others.
  const patienceMs = Math.max(1, deadlineMs / 3);
  let seen: Health = { healthy: false, detail: "there was no time to ask" };
  for (let attempt = 0; ; attempt += 1) {
    const remainingMs = deadlineAt - ports.now();
    if (remainingMs <= 0) return seen;
    seen = await checkHealth(session, wrapper, Math.min(remainingMs, patienceMs), means);
    if (seen.healthy) return seen;
    await pause(ports, pollPauseMs(attempt), signal);
  }
}

const MAX_CHAT_BYTES = 256 * 1024;
const MAX_HEALTH_BYTES = 64 * 1024;

/** The port of a wrapper that starts is soon looked at again. */
function pollPauseMs(attempt: number): number {
  return [20, 50][attempt] ?? 100;
}

async function askAnew(
  session: Session,
  { chat, ...wrapper }: Wrapper,
  timeoutMs: number,
  means: Means,
): Promise<Verdict> {
  const { ports, bearer, signal, keepUntil } = means;
  if (chat === undefined) return judgeHealth(await checkHealth(session, wrapper, timeoutMs, means));
  // Random, so that no canned answer holds it; short and plain, so that a model repeats it.
  const nonce = `sync${ports.randomHex(6)}`;
  const request = buildChatRequest({ ...wrapper, chat }, nonce);
  const limits = { timeoutMs, bearer, signal, keepUntil };
  return await ask(session, { ...wrapper, chat }, request, limits);
}

/** Where there is no question to ask. */
function judgeHealth({ healthy, detail }: Health): Verdict {
  return { class: healthy ? "healthy" : "not-running", detail };
}

async function checkHealth(
  session: Session,
  { url, health }: Wrapper,
  timeoutMs: number,
  { bearer, signal, keepUntil }: Means,
): Promise<Health> {
  const contact = { url, timeoutMs, signal, keepUntil };
  if (health === undefined) {
    const outcome = await knock(session, contact);
    return outcome === "open"
      ? { healthy: true, detail: "it accepts connections" }
      : { healthy: false, detail: judgeFailure(outcome).detail };
  }
  const outcome = await exchange(session, {
    ...contact,
    method: "GET",
    path: joinPath(url, health.path),
    headers: {},
    body: "",
    bearer,
    maxBytes: MAX_HEALTH_BYTES,
  });
  if (typeof outcome === "string") return { healthy: false, detail: judgeFailure(outcome).detail };
  const healthy = outcome.status >= 200 && outcome.status < 300;
  return { healthy, detail: `HTTP ${outcome.status} from ${health.path}` };
}

function without(bearer: Secret, reply: Reply): Reply {
  return { ...reply, body: Buffer.from(redact(reply.body.toString("utf8"), [bearer])) };
}

async function pause(ports: Means["ports"], milliseconds: number, signal?: AbortSignal) {
  await ports.sleep(milliseconds, signal).catch((error: unknown) => {
    throw signal?.aborted ? interrupted() : error;
  });
}
