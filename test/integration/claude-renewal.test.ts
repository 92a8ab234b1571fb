import { chmodSync, mkdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { openWorld, runClaude } from "../support/claude-world.ts";
import { startTokenServer } from "../support/token-server.ts";

const SESSION_OVER = "Failed to authenticate: OAuth session expired and could not be refreshed";

// Seen with the real client, 2.1.330, whose token endpoint was a mock on loopback.
describe("the stand-in for claude, with a server that renews logins", () => {
  async function openRenewal(validMs: number, more: object = {}) {
    const server = await startTokenServer();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const issued = server.logIn(validMs);
    const { folder, path } = openWorld(
      file({
        organizationUuid: "kept",
        claudeAiOauth: { ...issued, subscriptionType: "max", ...more },
        mcpOAuth: { a: 1 },
      }),
    );
    const credentials = path("home/.claude/.credentials.json");
    return {
      server,
      issued,
      folder,
      path,
      credentials,
      ask: () => runClaude(folder, { STANDIN_TOKEN_SERVER: server.url }),
      stored: () =>
        JSON.parse(readFileSync(credentials, "utf8")) as { claudeAiOauth: Record<string, unknown> },
    };
  }

  test("leaves a login alone that is good for more than five minutes", async () => {
    const { server, ask, stored, issued } = await openRenewal(6 * 60_000);
    expect((await ask()).stdout).toBe("pong");
    expect(stored().claudeAiOauth["accessToken"]).toBe(issued.accessToken);
    expect(server.counts()).toEqual({ renewed: 0, refused: 0 });
  });

  test.each([
    ["within five minutes of its end", 4 * 60_000, {}],
    ["rejected before its end", 0, { expiresAt: Date.now() + 8 * 3600_000 }],
  ])("renews a login that is %s, and keeps all else", async (_name, validMs, more) => {
    const { ask, stored, issued, credentials } = await openRenewal(validMs, more);
    chmodSync(credentials, 0o644);

    expect((await ask()).stdout).toBe("pong");

    const after = stored();
    expect(after).toMatchObject({
      organizationUuid: "kept",
      mcpOAuth: { a: 1 },
      claudeAiOauth: { subscriptionType: "max" },
    });
    expect(after.claudeAiOauth["accessToken"]).not.toBe(issued.accessToken);
    expect(after.claudeAiOauth["refreshToken"]).not.toBe(issued.refreshToken);
    expect(after.claudeAiOauth["expiresAt"]).toBeGreaterThan(Date.now() + 7 * 3600_000);
    expect(statSync(credentials).mode & 0o777).toBe(0o600);
    expect((await ask()).stdout).toBe("pong");
  });

  test("blanks in place a login whose refresh token is refused, and asks nobody afterwards", async () => {
    const { ask, stored, server } = await openRenewal(60_000, {
      refreshToken: "sk-ant-ort01-CANARY-used",
    });

    expect(await ask()).toEqual({ code: 1, stdout: SESSION_OVER });

    expect(stored()).toEqual({
      organizationUuid: "kept",
      claudeAiOauth: {
        accessToken: "",
        refreshToken: "",
        expiresAt: 0,
        scopes: ["user:inference", "user:profile"],
        subscriptionType: "max",
      },
      mcpOAuth: { a: 1 },
    });
    expect(await ask()).toEqual({ code: 1, stdout: SESSION_OVER });
    expect(server.counts()).toEqual({ renewed: 0, refused: 1 });
  });

  test("renews a login once, also when two ask at the same time", async () => {
    const { ask, server } = await openRenewal(60_000);
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ stdout }) => stdout)).toEqual(["pong", "pong", "pong"]);
    expect(server.counts()).toEqual({ renewed: 1, refused: 0 });
  });

  test.each(["home/.claude/.oauth_refresh.lock", "home/.claude.lock"])(
    "does not renew a login while another holds %s, and asks with what it has",
    async (lock) => {
      const { ask, path, server } = await openRenewal(60_000);
      mkdirSync(path(lock));
      expect((await ask()).stdout).toBe("pong");
      expect(server.counts()).toEqual({ renewed: 0, refused: 0 });
    },
  );

  test("passes over a lock that nobody has touched for a minute", async () => {
    const { ask, path, server } = await openRenewal(60_000);
    const lock = path("home/.claude/.oauth_refresh.lock");
    mkdirSync(lock);
    const then = Date.now() / 1000 - 61;
    utimesSync(lock, then, then);
    expect((await ask()).stdout).toBe("pong");
    expect(server.counts()).toEqual({ renewed: 1, refused: 0 });
  });
});

function file(content: unknown): Record<string, string> {
  return { "home/.claude/.credentials.json": JSON.stringify(content) };
}
