import { describe, expect, test } from "vitest";
import { SyncCredsError } from "../../../src/errors.ts";
import { renderError, renderHostProblem } from "../../../src/output/error-message.ts";
import type { Paint } from "../../../src/output/terminal.ts";

const plain: Paint = (_style, text) => text;
const marked: Paint = (style, text) => `<${style}>${text}</${style}>`;

const error = new SyncCredsError("CREDENTIALS_BLANKED", "the local login has been blanked", {
  why: "the service refused to renew it\nthis laptop is logged out",
  next: ["Log in: `claude`", "Push again"],
});

describe("an error that ends the run", () => {
  test("says what happened, why, and what to do next", () => {
    expect(renderError(error, plain, false)).toBe(
      `✖ the local login has been blanked  CREDENTIALS_BLANKED
  why   the service refused to renew it
        this laptop is logged out
  next  Log in: \`claude\`
        Push again
`,
    );
  });

  test("leaves out what it does not know", () => {
    expect(renderError(new SyncCredsError("LOCKED", "busy"), plain, false)).toBe(
      "✖ busy  LOCKED\n",
    );
  });

  test("dims what is not the message", () => {
    expect(renderError(error, marked, false)).toContain(
      "<red>✖</red> <bold>the local login has been blanked</bold>  <dim>CREDENTIALS_BLANKED</dim>\n  <dim>why   </dim>the",
    );
  });

  test("shows a stack only when asked: the one of the cause, where there is one", () => {
    const cause = new Error("the cause");
    cause.stack = "Error: the cause\n    at there";
    const caused = new SyncCredsError("BUG", "a bug", { cause });
    expect(renderError(caused, plain, true)).toBe("✖ a bug  BUG\nError: the cause\n    at there\n");
    expect(renderError(error, plain, true)).toContain("error-message.test.ts");
    expect(renderError(error, plain, false)).not.toContain("error-message.test.ts");
  });
});

describe("what happened on a host", () => {
  test("names the host, and the state that it is in", () => {
    expect(
      renderHostProblem(
        {
          host: "web-1",
          outcome: "busy",
          code: "LOCKED",
          what: "another push is at work on this host",
          state: "nothing was changed on the host",
          next: [],
          durationMs: 1,
        },
        plain,
      ),
    ).toBe(
      `✖ web-1: another push is at work on this host  LOCKED
  state nothing was changed on the host
`,
    );
  });

  test("falls back on the outcome", () => {
    const result = { host: "web-1", outcome: "not-attempted", next: [], durationMs: 0 } as const;
    expect(renderHostProblem(result, plain)).toBe("✖ web-1: not-attempted\n");
  });
});
