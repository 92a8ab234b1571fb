import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectOldFile, expectSettled, hostToken } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

/** From its next restart on, the wrapper has this variable: a script sets it, where nothing can see it before. */
function withVariable(stage: Stage, assignment: string): void {
  const command = stage.command.replace("exec ", `exec env ${assignment} `);
  writeFileSync(join(stage.directory, "start.sh"), command);
  const restart = { kind: "process", directory: "~/wrapper", command: "exec sh start.sh" };
  stage.configure({ restart });
}

describe.skipIf(!hasSshd)("credentials that do not work on the host", () => {
  test("go back, byte for byte, and the wrapper answers again", async () => {
    const old = renderHostLogin(tokens.other);
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(tokens.bad);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    expect(ended.result.state).toContain("and answering again");
    expect(await stage.chat("as before")).toBe("before");
    expectOldFile(stage, old);
  });

  test("leave no file behind on a host that had none", async () => {
    await using stage = await openStage({ running: true });
    stage.logIn(tokens.bad);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    expectOldFile(stage, undefined);
  });

  test("stay when they are merely at their usage limit: that login works", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    stage.logIn(tokens.limit);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result).toMatchObject({ outcome: "unverified", code: "usage-limit" });
    expect(ended.code).toBe(10);
    expect(hostToken(stage)).toBe(tokens.limit);
    expectSettled(stage);
  });

  test("stay at their usage limit even where the former login answered", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other), running: true });
    stage.logIn(tokens.limit);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result).toMatchObject({ outcome: "unverified", code: "usage-limit" });
    expect(hostToken(stage)).toBe(tokens.limit);
    expectSettled(stage);
  });

  test("go back even when the former ones were dead too: nothing is better than what was there", async () => {
    const old = renderHostLogin(tokens.bad);
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(`${tokens.bad}-another`);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    expect(ended.result.state).toContain("did not work before either");
    expectOldFile(stage, old);
  });
});

describe.skipIf(!hasSshd)("a key that outranks the credentials file", () => {
  test("and that only the restarted process has is named then, and the file goes back", async () => {
    const old = renderHostLogin(tokens.bad);
    await using stage = await openStage({ hostFile: old, running: true });
    withVariable(stage, "ANTHROPIC_API_KEY=CANARY-shadow-0006");

    const ended = await stage.run("push", "web-1", "--clear-shadows", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "external-key-invalid" });
    expect(ended.result.why).toContain("ANTHROPIC_API_KEY in the wrapper's environment outranks");
    expect(ended.result.next).toEqual([
      "Remove ANTHROPIC_API_KEY where the wrapper is started, then restart it",
    ]);
    expect(ended.stdout + ended.stderr).not.toContain("CANARY-shadow");
    expectOldFile(stage, old);
  });

  test("and works, is no proof of what was pushed: unverified, with its name", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.bad), running: true });
    withVariable(stage, "ANTHROPIC_API_KEY=sk-ant-api03-GOOD-CANARY-shadow-0009");

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "unverified", code: "SHADOWED" });
    expect(ended.result.why).toContain("ANTHROPIC_API_KEY (an API key) in the wrapper's env");
    expect(ended.stdout + ended.stderr).not.toContain("CANARY-shadow");
    expect(hostToken(stage)).toBe(tokens.good);
    expectSettled(stage);
  });

  test.each([
    ["as it is written", "·"],
    ["mangled to a replacement character", "\uFFFD"],
    ["mangled by a wrong code page", "В·"],
  ])("is recognised by a reply with HTTP 200 whose separator is %s", async (_how, separator) => {
    const old = renderHostLogin(tokens.other);
    await using stage = await openStage({
      hostFile: old,
      wrapperArguments: ["--separator", separator],
      running: true,
    });
    withVariable(stage, "ANTHROPIC_API_KEY=CANARY-shadow-0006");

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result).toMatchObject({ code: "external-key-invalid" });
    expect(ended.result.why).toContain(`Invalid API key ${separator} Fix external API key`);
    expectOldFile(stage, old);
  });
});

describe.skipIf(!hasSshd)("a wrapper that refuses our bearer", () => {
  test("is left alone: without a verdict nothing is changed", async () => {
    const old = renderHostLogin(tokens.bad);
    await using stage = await openStage({
      hostFile: old,
      wrapperArguments: ["--bearer", "CANARY-bearer-right"],
      running: true,
    });
    stage.configure({}, { bearer: { command: "echo CANARY-bearer-wrong" } });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "WRAPPER_UNUSABLE" });
    expect(ended.result.state).toBe("nothing was changed on the host");
    expectOldFile(stage, old);
  });

  test("is cured once the bearer is right", async () => {
    await using stage = await openStage({
      hostFile: renderHostLogin(tokens.bad),
      wrapperArguments: ["--bearer", "CANARY-bearer-right"],
      running: true,
    });
    stage.configure({}, { bearer: { command: "echo CANARY-bearer-right" } });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.result).toMatchObject({ outcome: "verified" });
    expect(hostToken(stage)).toBe(tokens.good);
    expectSettled(stage);
  });
});
