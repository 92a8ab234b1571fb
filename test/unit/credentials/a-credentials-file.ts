/** Plainly fake tokens: a test that finds one in an output has found a leak. */
export const ACCESS = "sk-ant-oat01-CANARYaccess0001";
export const REFRESH = "sk-ant-ort01-CANARYrefresh0001";

/** A login block as Claude Code 2.1.330 writes it: good for 8 hours after `now`, its login for 30 days. */
export function loginBlock(now: number, different: Record<string, unknown> = {}) {
  return {
    accessToken: ACCESS,
    refreshToken: REFRESH,
    expiresAt: now + 8 * 3_600_000,
    refreshTokenExpiresAt: now + 30 * 86_400_000,
    scopes: ["user:inference", "user:profile"],
    subscriptionType: "max",
    rateLimitTier: "default_claude_max_20x",
    clientId: "9d1c250a-CANARYclient",
    ...different,
  };
}

/** A whole credentials file with such a block. */
export function credentialsFile(now: number, different: Record<string, unknown> = {}): string {
  return JSON.stringify({ claudeAiOauth: loginBlock(now, different) });
}
