import { describe, expect, test } from "vitest";
import type { Chat } from "../../../src/hosts/host.ts";
import { buildChatRequest, readReply, renderPrompt } from "../../../src/smoke/presets.ts";
import type { Asked } from "../../../src/smoke/presets.ts";

const NONCE = "sync0123456789ab";
const PROMPT = renderPrompt(NONCE);

const wrapper = (chat: Chat, url = "http://127.0.0.1:8000"): Asked => ({
  url,
  chat,
  timeoutMs: 1000,
  baselineTimeoutMs: 1000,
  startTimeoutMs: 1000,
});

const build = (chat: Chat, url?: string) => {
  const request = buildChatRequest(wrapper(chat, url), NONCE);
  return {
    ...request,
    body: request.body === "" ? undefined : (JSON.parse(request.body) as unknown),
  };
};

const custom = (over: Partial<Extract<Chat, { preset: "custom" }>>): Chat => ({
  preset: "custom",
  method: "POST",
  path: "/ask",
  headers: {},
  body: "{{prompt}}",
  replyPath: "text",
  ...over,
});

test("the question ends with the nonce", () => {
  expect(PROMPT.endsWith(` ${NONCE}`)).toBe(true);
});

describe("a request is built for", () => {
  const json = { "content-type": "application/json", accept: "application/json" };

  test("the chat preset", () => {
    expect(build({ preset: "chat", model: "opus" })).toEqual({
      method: "POST",
      path: "/chat",
      headers: json,
      body: { message: PROMPT, model: "opus", temperature: 0 },
      nonce: NONCE,
    });
  });

  test("the chat preset without a model, which is the wrapper's to choose", () => {
    expect(build({ preset: "chat" }).body).toEqual({ message: PROMPT, temperature: 0 });
  });

  test("the openai preset", () => {
    expect(build({ preset: "openai" })).toMatchObject({
      path: "/v1/chat/completions",
      headers: json,
      body: { model: "sonnet", messages: [{ role: "user", content: PROMPT }] },
    });
  });

  test("the anthropic preset, with room for an answer", () => {
    expect(build({ preset: "anthropic", model: "haiku" })).toMatchObject({
      path: "/v1/messages",
      headers: { ...json, "anthropic-version": "2023-06-01" },
      body: { model: "haiku", max_tokens: 4096, messages: [{ role: "user", content: PROMPT }] },
    });
  });

  test("a custom wrapper, with the question in every string of the body", () => {
    const body = { q: "{{prompt}}", deep: [{ again: "> {{prompt}} {{prompt}}" }, 1, null, true] };
    expect(build(custom({ method: "PUT", headers: { "X-Kind": "a" }, body }))).toEqual({
      method: "PUT",
      path: "/ask",
      headers: { ...json, "x-kind": "a" },
      body: { q: PROMPT, deep: [{ again: `> ${PROMPT} ${PROMPT}` }, 1, null, true] },
      nonce: NONCE,
    });
  });

  test("a custom wrapper without a body", () => {
    expect(build(custom({ method: "GET", body: undefined })).body).toBeUndefined();
  });

  test("a custom wrapper that wants another content type", () => {
    const { headers } = build(custom({ headers: { "Content-Type": "text/json" } }));
    expect(headers).toEqual({ ...json, "content-type": "text/json" });
  });

  test.each([
    ["http://127.0.0.1:8000", undefined, "/chat"],
    ["http://127.0.0.1:8000/", undefined, "/chat"],
    ["http://127.0.0.1:8000/base", undefined, "/base/chat"],
    ["http://127.0.0.1:8000/base/", "/talk", "/base/talk"],
    ["http://127.0.0.1:8000", "talk?x=1", "/talk?x=1"],
  ])("%s with path %s: %s", (url, path, expected) => {
    const chat: Chat = path === undefined ? { preset: "chat" } : { preset: "chat", path };
    expect(build(chat, url).path).toBe(expected);
  });
});

describe("a reply is read from", () => {
  test.each<[string, Chat, unknown, string | undefined]>([
    ["response", { preset: "chat" }, { response: "a", content: "b" }, "a"],
    ["content", { preset: "chat" }, { content: "b" }, "b"],
    ["result", { preset: "chat" }, { result: "c" }, "c"],
    ["an empty response", { preset: "chat" }, { response: "" }, ""],
    ["nothing it knows", { preset: "chat" }, { answer: "a" }, undefined],
    ["no object at all", { preset: "chat" }, null, undefined],
    ["no JSON", { preset: "chat" }, undefined, undefined],
    ["a choice", { preset: "openai" }, { choices: [{ message: { content: "a" } }] }, "a"],
    [
      "a choice with parts",
      { preset: "openai" },
      { choices: [{ message: { content: [{ type: "text", text: "a" }] } }] },
      "a",
    ],
    ["no choices", { preset: "openai" }, { choices: [] }, undefined],
    [
      "content blocks",
      { preset: "anthropic" },
      { content: [{ type: "thinking" }, { text: "a" }, { text: "b" }] },
      "ab",
    ],
    ["no content blocks", { preset: "anthropic" }, { content: [] }, undefined],
    ["a dotted path", custom({ replyPath: "a.1.b" }), { a: [0, { b: "x" }] }, "x"],
    ["a path to a number", custom({ replyPath: "a" }), { a: 1 }, undefined],
    ["an inherited name", custom({ replyPath: "constructor.name" }), {}, undefined],
  ])("%s", (_, chat, json, expected) => {
    expect(readReply(chat, json)).toBe(expected);
  });
});
