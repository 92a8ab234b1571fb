import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { SyncCredsError } from "../errors.ts";
import type { Session } from "../remote/session.ts";
import type { Secret } from "../secret.ts";
import type { FailureKind, Reply } from "./verdict.ts";

/** Where a service listens, as the host sees it, and how long we care. */
export interface Contact {
  /** Names the address and port; its path is not used. */
  readonly url: string;
  /** Longest time for everything, from opening the stream to the last byte. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * The stream is closed only when this is settled. sshd confirms the end of a channel by a packet of its own, and holds back
   * what comes next until that is acknowledged: for 40 ms and a round trip, where we have nothing to say.
   */
  readonly keepUntil?: Promise<unknown> | undefined;
}

/** One HTTP request. */
export interface Exchange extends Contact {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bearer?: Secret | undefined;
  /** Bytes of the body that are read; the rest is cut off. */
  readonly maxBytes: number;
}

/**
 * Sends one request through `session` and reads the reply. What goes wrong between the host and the
 * service is an answer too. Thrown is what the session itself reports (`FORWARDING_REFUSED`,
 * `CONNECTION_LOST`), `INTERRUPTED` when `signal` fires, `CONFIG_INVALID` when HTTP cannot carry the request.
 */
export async function exchange(session: Session, wanted: Exchange): Promise<Reply | FailureKind> {
  return await withStream(session, wanted, (stream) => converse(stream, wanted));
}

/** Whether the service accepts connections: opens a stream and closes it at once. Throws as `exchange`. */
export async function knock(session: Session, contact: Contact): Promise<"open" | FailureKind> {
  return await withStream(session, contact, () => Promise.resolve("open" as const));
}

/** An interrupted request. It changed nothing on the host. */
export function interrupted(): SyncCredsError {
  return new SyncCredsError("INTERRUPTED", "interrupted while waiting for the wrapper");
}

const MAX_HEADER_BYTES = 16 * 1024;

async function withStream<T>(
  session: Session,
  { url, timeoutMs, signal, keepUntil }: Contact,
  use: (stream: Duplex) => Promise<T>,
): Promise<T | FailureKind> {
  if (signal?.aborted) throw interrupted();
  const patience = startPatience(timeoutMs, signal);
  const opening = session.openStream(...addressOf(url));
  const work = opening.then(use, (error: unknown) => {
    if (isRefusal(error)) return "refused" as const;
    throw error;
  });
  try {
    const outcome = await Promise.race([work, patience.over, session.lost]);
    // A lost link takes its streams with it a moment before it is known to be lost.
    return outcome === "reset" ? await Promise.race([session.lost, delay(50, outcome)]) : outcome;
  } finally {
    patience.stop();
    // Also when the stream opens after we stopped waiting; what `work` then says is of no interest.
    opening.then(
      (stream) => close(stream, keepUntil),
      () => undefined,
    );
    work.catch(() => undefined);
  }
}

/** The deadline is a value of its own: an error that came through a channel no longer knows its cause. */
function startPatience(timeoutMs: number, signal: AbortSignal | undefined) {
  let stop!: () => void;
  const over = new Promise<"timeout">((resolve, reject) => {
    const timer = setTimeout(() => resolve("timeout"), timeoutMs);
    const interrupt = (): void => reject(interrupted());
    signal?.addEventListener("abort", interrupt);
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", interrupt);
    };
  });
  return { over, stop: () => stop() };
}

async function converse(stream: Duplex, wanted: Exchange): Promise<Reply | FailureKind> {
  const request = startRequest(stream, wanted);
  try {
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once("response", resolve);
      request.on("error", reject);
      request.once("close", () => reject(new Error("closed before the reply")));
      request.end(wanted.body);
    });
    return await readReply(message, wanted.maxBytes);
  } catch (error) {
    return failureOf(error);
  }
}

function startRequest(stream: Duplex, wanted: Exchange): ClientRequest {
  const { url, method, path, headers, body, bearer } = wanted;
  try {
    return httpRequest({
      createConnection: () => stream,
      method,
      path,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        ...headers,
        host: new URL(url).host,
        "accept-encoding": "identity",
        ...(body === "" ? {} : { "content-length": Buffer.byteLength(body) }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer.reveal()}` }),
      },
    });
  } catch (error) {
    // Node names the header or the path in its message, never the value.
    throw new SyncCredsError("CONFIG_INVALID", "HTTP cannot carry the request to the wrapper", {
      why: error instanceof Error ? error.message : String(error),
      next: ["Check `wrapper.chat`, `wrapper.health` and the wrapper's bearer for odd characters"],
    });
  }
}

async function readReply(message: IncomingMessage, maxBytes: number): Promise<Reply> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: Buffer.concat(chunks).subarray(0, maxBytes),
    truncated: size > maxBytes,
  };
}

function failureOf(error: unknown): FailureKind {
  const code = codeOf(error);
  if (code === "HPE_HEADER_OVERFLOW") return "too-large";
  return code?.startsWith("HPE_") ? "not-http" : "reset";
}

function isRefusal(error: unknown): boolean {
  return !(error instanceof SyncCredsError) && codeOf(error) === "ECONNREFUSED";
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function addressOf(url: string): [host: string, port: number] {
  const { hostname, port, protocol } = new URL(url);
  const defaultPort = protocol === "https:" ? 443 : 80;
  return [hostname.replace(/^\[|\]$/g, ""), port === "" ? defaultPort : Number(port)];
}

function close(stream: Duplex, after: Promise<unknown> | undefined): void {
  // Nobody listens any more, and an error event without a listener ends the program.
  stream.on("error", () => undefined);
  const destroy = (): void => void stream.destroy();
  if (after === undefined) destroy();
  else after.then(destroy, destroy);
}
