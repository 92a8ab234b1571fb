import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { expectProven } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, tokens } from "../support/stage.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));

test.runIf(hasSshd)("a bearer that `token set` has stored opens the wrapper", async () => {
  await using stage = await openStage({
    hostFile: renderHostLogin(tokens.bad),
    wrapper: { bearer: { token: "wrapper" } },
    wrapperArguments: ["--bearer", "CANARY-wrapper-bearer"],
    running: true,
  });
  const before = await stage.run(...PUSH);
  expect(before.code).toBe(3);
  expect(before.stdout).toContain("`sync-creds token set wrapper`");

  execFileSync(process.execPath, [BIN, "token", "set", "wrapper"], {
    input: "CANARY-wrapper-bearer\n",
    env: { HOME: stage.laptop, SYNC_CREDS_TOKEN_STORE: "file" },
  });

  await expectProven(stage, await stage.run(...PUSH), tokens.good);
});
