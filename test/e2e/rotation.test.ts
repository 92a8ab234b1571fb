import { execFile } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectProven } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { startTokenServer } from "../support/token-server.ts";
import type { TokenServer } from "../support/token-server.ts";

const CLAUDE = join(import.meta.dirname, "../support/claude.mjs");
const SESSION_OVER = "Failed to authenticate: OAuth session expired and could not be refreshed";
const REVOKED =
  "Failed to authenticate: OAuth token revoked. Please log in again or contact your administrator.";

interface Login {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly expiresAt?: number;
}

/** A laptop and a host, both with a Claude Code of their own, and the one server that renews logins. */
interface TwoMachines extends AsyncDisposable {
  readonly stage: Stage;
  readonly server: TokenServer;
  /** Asks the laptop's Claude Code, which may renew its login. */
  askLaptop(): Promise<string>;
  /** Asks the host's through the wrapper. */
  askHost(): Promise<string | undefined>;
  laptopLogin(): Login;
  hostLogin(): Login;
  /** `/login` on the laptop. */
  logIn(): void;
}

async function openTwoMachines(host: Record<string, unknown> = {}): Promise<TwoMachines> {
  const server = await startTokenServer();
  const stage = await openStage({
    host,
    hostFile: renderHostLogin(tokens.bad),
    wrapperArguments: ["--claude", "claude.mjs", "--token-server", server.url],
    running: true,
  });
  const logIn = () => {
    const { accessToken, ...more } = server.logIn();
    stage.logIn(accessToken, more);
  };
  logIn();
  const loginOf = (path: string) =>
    (JSON.parse(readFileSync(path, "utf8")) as { claudeAiOauth: Login }).claudeAiOauth;
  return {
    stage,
    server,
    askLaptop() {
      const env = {
        HOME: stage.laptop,
        PATH: process.env["PATH"],
        STANDIN_TOKEN_SERVER: server.url,
      };
      const argv = [CLAUDE, "-p", "say pong"];
      return new Promise((resolve) => {
        execFile(process.execPath, argv, { env, cwd: stage.laptop }, (_error, stdout) =>
          resolve(stdout.trim()),
        );
      });
    },
    askHost: () => stage.chat("say pong"),
    laptopLogin: () => loginOf(stage.laptopFile),
    hostLogin: () => loginOf(stage.hostFile),
    logIn,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!hasSshd)("one login", () => {
  test("that was copied whole, the runbook's way, is lost on the host as soon as the laptop renews it", async () => {
    await using two = await openTwoMachines();
    copyFileSync(two.stage.laptopFile, two.stage.hostFile);
    expect([await two.askLaptop(), await two.askHost()]).toEqual(["pong", "pong"]);

    two.server.expire(two.laptopLogin().accessToken);

    expect(await two.askLaptop()).toBe("pong");
    expect(await two.askHost()).toBe(SESSION_OVER);
    expect(two.hostLogin()).toMatchObject({ accessToken: "", refreshToken: "", expiresAt: 0 });
    expect(await two.askLaptop()).toBe("pong");
  });

  test("that was copied whole is lost on the laptop when the host renews it first", async () => {
    await using two = await openTwoMachines();
    copyFileSync(two.stage.laptopFile, two.stage.hostFile);

    two.server.expire(two.hostLogin().accessToken);

    expect(await two.askHost()).toBe("pong");
    expect(await two.askLaptop()).toBe(SESSION_OVER);
    expect(two.laptopLogin()).toMatchObject({ accessToken: "", refreshToken: "", expiresAt: 0 });
    expect(await two.askHost()).toBe("pong");
  });

  test("of which the host gets the access token alone is never lost: it is pushed again after each renewal", async () => {
    await using two = await openTwoMachines();
    await expectProven(two.stage, await two.stage.run(...PUSH), two.laptopLogin().accessToken);

    for (const round of [1, 2, 3]) {
      const pushed = readFileSync(two.stage.hostFile, "utf8");
      two.server.expire(two.laptopLogin().accessToken);
      expect(await two.askLaptop()).toBe("pong");
      expect(two.server.counts()).toEqual({ renewed: round, refused: 0 });
      // The host's copy has died with it, and that is all: its Claude Code neither renews nor blanks it.
      expect(await two.askHost()).toBe(REVOKED);
      expect(readFileSync(two.stage.hostFile, "utf8")).toBe(pushed);

      await expectProven(two.stage, await two.stage.run(...PUSH), two.laptopLogin().accessToken);
      expect(two.hostLogin()).not.toHaveProperty("refreshToken");
    }

    expect(await two.askLaptop()).toBe("pong");
    expect(two.server.counts()).toEqual({ renewed: 3, refused: 0 });
  });

  test("that was handed over whole is the host's to renew; the laptop that goes on using it must log in again", async () => {
    await using two = await openTwoMachines({ delivery: "full-login" });
    await expectProven(two.stage, await two.stage.run(...PUSH), two.laptopLogin().accessToken);
    for (const round of [1, 2]) {
      two.server.expire(two.hostLogin().accessToken);
      expect(await two.askHost()).toBe("pong");
      expect(two.server.counts()).toEqual({ renewed: round, refused: 0 });
    }

    expect(await two.askLaptop()).toBe(SESSION_OVER);

    // A blanked login is never sent over the one that lives.
    const ended = await two.stage.run(...PUSH);
    expect(ended.code).toBe(4);
    expect(await two.askHost()).toBe("pong");
    // With a login of its own the laptop no longer disturbs the host, nor the host the laptop.
    two.logIn();
    for (const login of [two.laptopLogin(), two.hostLogin()]) two.server.expire(login.accessToken);
    expect([await two.askLaptop(), await two.askHost()]).toEqual(["pong", "pong"]);
    expect(two.server.counts()).toEqual({ renewed: 4, refused: 1 });
  });
});
