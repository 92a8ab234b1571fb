import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { connect } from "../../../src/connect/connect.ts";
import { nodePorts } from "../../../src/node-ports.ts";
import { SyncCredsError } from "../../../src/errors.ts";
import type { Human } from "../../../src/ports.ts";
import { Secret } from "../../../src/secret.ts";
import { failure, runOn } from "../../support/connected.ts";
import { hostEntryOf } from "../../support/host-entry.ts";
import { canChooseShell, startSshd, type SshdHost } from "../../support/sshd.ts";

const PASSWORD = "correct-horse-CANARY";
const PAM = ["UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes"];

/** Somebody who gives these answers, one after the other, to whatever is asked without echo. */
function person(...answers: string[]): { human: Human; asked: string[] } {
  const asked: string[] = [];
  const refuse = (): Promise<never> => Promise.reject(new Error("not to be asked"));
  return {
    asked,
    human: {
      confirm: refuse,
      choose: refuse,
      pick: refuse,
      text: refuse,
      password: (question) => {
        asked.push(question);
        return Promise.resolve(new Secret(answers.shift() ?? ""));
      },
    },
  };
}

function passwordHost(...config: string[]): Promise<SshdHost> {
  return startSshd({
    shell: "/bin/sh",
    password: PASSWORD,
    config: ["LogLevel DEBUG1", ...config],
  });
}

describe.skipIf(!canChooseShell)("a host that asks for a password", () => {
  test.each([
    ["by the password method", ["PasswordAuthentication yes", "PubkeyAuthentication no"]],
    ["by keyboard-interactive", [...PAM, "PubkeyAuthentication no"]],
    ["after a key", [...PAM, "AuthenticationMethods publickey,keyboard-interactive"]],
    [
      "after a key, by the password method",
      ["PasswordAuthentication yes", "AuthenticationMethods publickey,password"],
    ],
  ])("lets us in %s", async (_how, config) => {
    await using sshd = await passwordHost(...config);
    const { human, asked } = person(PASSWORD);
    await expect(runOn(sshd, "echo in", { human })).resolves.toMatchObject({ out: "in\n" });
    expect(asked).toEqual([`Password of web-1 (${sshd.user}@127.0.0.1:${sshd.port})`]);
    expect(sshd.log()).not.toContain("method none");
  });

  test("asks once per run, and again when the answer was refused", async () => {
    await using sshd = await passwordHost("PasswordAuthentication yes", "PubkeyAuthentication no");
    const { human, asked } = person("wrong", PASSWORD);
    const ports = nodePorts({ home: sshd.home, env: {}, human });
    for (let left = 2; left > 0; left--) (await connect(hostEntryOf(sshd), ports)).close();
    expect(asked).toEqual([
      `Password of web-1 (${sshd.user}@127.0.0.1:${sshd.port})`,
      `That was refused. Password of web-1 (${sshd.user}@127.0.0.1:${sshd.port})`,
    ]);
  });

  test("is given up after three wrong answers, which are in no message", async () => {
    await using sshd = await passwordHost("PasswordAuthentication yes", "PubkeyAuthentication no");
    const { human, asked } = person("wrong-1", "wrong-2", "wrong-3", PASSWORD);
    const error = await failure(sshd, { human });
    expect(error).toMatchObject({
      code: "AUTHENTICATION_FAILED",
      why: expect.stringContaining("did not accept what was answered"),
    });
    expect(asked).toHaveLength(3);
    expect(JSON.stringify([error, error.cause])).not.toContain("wrong-");
  });

  test("without a person says what is wanted, and that a terminal would help", async () => {
    await using sshd = await passwordHost("PasswordAuthentication yes", "PubkeyAuthentication no");
    expect(await failure(sshd)).toMatchObject({
      code: "AUTHENTICATION_FAILED",
      why: expect.stringContaining("takes no keys, only password"),
      next: [expect.stringContaining("on a terminal"), expect.any(String)],
    });
  });

  test("where no key may be offered says so, and does not blame the keys", async () => {
    await using sshd = await passwordHost("PasswordAuthentication yes");
    appendFileSync(sshd.sshConfig, "  PreferredAuthentications password\n");
    expect(await failure(sshd, {}, { sshConfig: sshd.sshConfig })).toMatchObject({
      code: "AUTHENTICATION_FAILED",
      message: expect.stringContaining("no key may be offered"),
      why: expect.stringContaining("your ssh configuration allows none"),
    });
    expect(sshd.log()).not.toContain("Connection from");
  });

  test("ends when the person breaks off", async () => {
    await using sshd = await passwordHost("PasswordAuthentication yes", "PubkeyAuthentication no");
    const { human } = person();
    const gone = new SyncCredsError("INTERRUPTED", "interrupted at a question");
    const ports = { human: { ...human, password: () => Promise.reject(gone) } };
    await expect(runOn(sshd, "true", ports)).rejects.toBe(gone);
  });
});
