import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A login as the server gives it out: fields of `claudeAiOauth`. */
export interface IssuedLogin {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

/** The server that renews logins, for claude.mjs: refresh tokens are single-use, and the old access token dies with them. */
export interface TokenServer extends AsyncDisposable {
  readonly url: string;
  /** What `/login` on some machine brings; valid for eight hours unless told. */
  logIn(validMs?: number): IssuedLogin;
  /** Lets an access token come to its end now, whatever its file says. */
  expire(accessToken: string): void;
  /** How often a refresh token was taken, and how often one was refused. */
  counts(): { readonly renewed: number; readonly refused: number };
}

const EIGHT_HOURS_MS = 8 * 3600_000;
const SCOPES = ["user:inference", "user:profile"];

/** Starts one on loopback. */
export async function startTokenServer(): Promise<TokenServer> {
  const live = new Map<string, { accessToken: string; endsAt: number }>();
  const revoked = new Set<string>();
  const counts = { renewed: 0, refused: 0 };
  let issued = 0;

  function issue(validMs: number): IssuedLogin {
    issued++;
    const accessToken = `sk-ant-oat01-CANARY-issued-${issued}`;
    const refreshToken = `sk-ant-ort01-CANARY-issued-${issued}`;
    const expiresAt = Date.now() + validMs;
    live.set(refreshToken, { accessToken, endsAt: expiresAt });
    return { accessToken, refreshToken, expiresAt, scopes: SCOPES };
  }

  function renew(refreshToken: string): object | undefined {
    const old = live.get(refreshToken);
    if (old === undefined) {
      counts.refused++;
      return undefined;
    }
    counts.renewed++;
    live.delete(refreshToken);
    revoked.add(old.accessToken);
    const login = issue(EIGHT_HOURS_MS);
    return {
      access_token: login.accessToken,
      refresh_token: login.refreshToken,
      expires_in: EIGHT_HOURS_MS / 1000,
      scope: SCOPES.join(" "),
    };
  }

  function judge(accessToken: string): "ok" | "revoked" | "expired" | "invalid" {
    if (revoked.has(accessToken)) return "revoked";
    const login = [...live.values()].find((one) => one.accessToken === accessToken);
    if (login === undefined) return "invalid";
    return login.endsAt > Date.now() ? "ok" : "expired";
  }

  async function answer(request: IncomingMessage): Promise<{ status: number; json: object }> {
    if (request.url === "/v1/oauth/token") {
      const { refresh_token: token } = JSON.parse(await textOf(request)) as {
        refresh_token: string;
      };
      const renewed = renew(token);
      if (renewed !== undefined) return { status: 200, json: renewed };
      const error_description = "Refresh token not found or invalid";
      return { status: 400, json: { error: "invalid_grant", error_description } };
    }
    const verdict = judge((request.headers.authorization ?? "").replace(/^Bearer /, ""));
    return { status: verdict === "ok" ? 200 : 401, json: { verdict } };
  }

  const server = createServer((request, response) => {
    void answer(request).then(({ status, json }) => {
      response.writeHead(status, { "content-type": "application/json", connection: "close" });
      return response.end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    logIn: (validMs = EIGHT_HOURS_MS) => issue(validMs),
    expire(accessToken) {
      for (const login of live.values()) {
        if (login.accessToken === accessToken) login.endsAt = 0;
      }
    },
    counts: () => ({ ...counts }),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
