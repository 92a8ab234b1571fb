import type { Chat, Wrapper } from "../hosts/host.ts";

/** A wrapper that can be asked. */
export type Asked = Wrapper & { readonly chat: Chat };

/** One question to a wrapper, ready to be sent. `path` holds the base path of the wrapper's url. */
export interface ChatRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; empty when the request has no body. */
  readonly body: string;
  /** The word the reply must hold. */
  readonly nonce: string;
}

/** Wrappers that want a model get this one when hosts.json names none. */
const DEFAULT_MODEL = "sonnet";

/** Where it must be sent, it is high: a known wrapper allows a tenth of a second per token asked for. */
const MAX_TOKENS = 4096;

const PRESET_PATHS = {
  chat: "/chat",
  openai: "/v1/chat/completions",
  anthropic: "/v1/messages",
} satisfies Record<Exclude<Chat["preset"], "custom">, string>;

/** The question. Its last word is the nonce, alone. */
export function renderPrompt(nonce: string): string {
  return `Reply with the following word and nothing else: ${nonce}`;
}

/** The request that asks `wrapper` to repeat `nonce`. */
export function buildChatRequest({ url, chat }: Asked, nonce: string): ChatRequest {
  const prompt = renderPrompt(nonce);
  return chat.preset === "custom"
    ? {
        method: chat.method,
        path: joinPath(url, chat.path),
        headers: { ...jsonHeaders, ...lowerCaseKeys(chat.headers) },
        body: chat.body === undefined ? "" : JSON.stringify(fillIn(chat.body, prompt)),
        nonce,
      }
    : {
        method: "POST",
        path: joinPath(url, chat.path ?? PRESET_PATHS[chat.preset]),
        headers:
          chat.preset === "anthropic"
            ? { ...jsonHeaders, "anthropic-version": "2023-06-01" }
            : jsonHeaders,
        body: JSON.stringify(presetBody(chat.preset, chat.model, prompt)),
        nonce,
      };
}

/** `path` below the base path of `url`: `http://h:1/base/` and `/chat` give `/base/chat`. */
export function joinPath(url: string, path: string): string {
  const base = new URL(url).pathname.replace(/\/+$/, "");
  return `${base}/${path.replace(/^\/+/, "")}`;
}

/** The reply text where the preset keeps it, or `undefined` when `json` has none. */
export function readReply(chat: Chat, json: unknown): string | undefined {
  switch (chat.preset) {
    case "chat":
      return ["response", "content", "result"]
        .map((key) => textOf(at(json, key)))
        .find((text) => text !== undefined);
    case "openai":
      return textOf(at(json, "choices.0.message.content"));
    case "anthropic":
      return textOf(at(json, "content"));
    case "custom":
      return textOf(at(json, chat.replyPath));
  }
}

const jsonHeaders = { "content-type": "application/json", accept: "application/json" };

function presetBody(
  preset: Exclude<Chat["preset"], "custom">,
  model: string | undefined,
  prompt: string,
): unknown {
  const messages = [{ role: "user", content: prompt }];
  switch (preset) {
    case "chat":
      return { message: prompt, ...(model === undefined ? {} : { model }), temperature: 0 };
    case "openai":
      return { model: model ?? DEFAULT_MODEL, messages, temperature: 0, stream: false };
    case "anthropic":
      return { model: model ?? DEFAULT_MODEL, max_tokens: MAX_TOKENS, messages, stream: false };
  }
}

function fillIn(body: unknown, prompt: string): unknown {
  // A function as replacement: `$&` and the like in a prompt must stay what they are.
  if (typeof body === "string") return body.replaceAll("{{prompt}}", () => prompt);
  if (Array.isArray(body)) return body.map((item) => fillIn(item, prompt));
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [key, fillIn(value, prompt)]),
  );
}

/** The value at a dotted path; only what the JSON itself holds, nothing inherited. */
function at(json: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    const own: unknown = Reflect.get(value, key);
    return own;
  }, json);
}

/** A string, or the texts of a list of content blocks. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const texts = value.map((block) => at(block, "text")).filter((text) => typeof text === "string");
  return texts.length === 0 ? undefined : texts.join("");
}

function lowerCaseKeys(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]),
  );
}
