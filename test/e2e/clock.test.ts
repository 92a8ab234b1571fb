import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectProven } from "../support/host-state.ts";
import { WITHOUT_PERL } from "../support/local-half.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, tokens } from "../support/stage.ts";

test.runIf(hasSshd)(
  "a host whose clock is two hours ahead is named, and cured all the same",
  async () => {
    const programs = mkdtempSync(join(tmpdir(), "sync-creds-clock-"));
    const write = (name: string, text: string) =>
      writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    write("date", '/bin/date -u -d "2 hours" "$@"');
    try {
      await using stage = await openStage({
        sshd: { path: [programs], environment: WITHOUT_PERL },
        hostFile: renderHostLogin(tokens.bad),
        running: true,
      });
      const ended = await stage.run(...PUSH);
      expect(ended.stdout).toContain("its clock is 120 min ahead of this laptop's");
      await expectProven(stage, ended, tokens.good);
    } finally {
      rmSync(programs, { recursive: true });
    }
  },
);
