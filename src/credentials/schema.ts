import * as z from "zod/mini";

const instant = z.int().check(z.nonnegative());
/** It becomes part of an HTTP header: anything else there, and Claude Code calls itself not logged in. */
const token = z.string().check(z.regex(/^[!-~]*$/));

/**
 * The block `claudeAiOauth` as Claude Code writes it (seen with 2.0.5 to 2.1.330). Keys that it does
 * not know pass: newer versions add some.
 */
export const LoginBlock = z.looseObject({
  accessToken: token,
  refreshToken: z.nullish(token),
  expiresAt: z.nullish(instant),
  refreshTokenExpiresAt: z.nullish(instant),
  scopes: z.nullish(z.array(z.string())),
  subscriptionType: z.nullish(z.string()),
  rateLimitTier: z.nullish(z.string()),
  clientId: z.nullish(z.string()),
});

/** All keys that a login block is known to have. */
export const LOGIN_KEYS: readonly string[] = Object.keys(LoginBlock.shape);

/** A value of the wrong type: where it stands and what should stand there, never what does. */
export interface TypeProblem {
  /** Keys and indices, such as `claudeAiOauth.scopes.0`. */
  readonly path: string;
  readonly expected: string;
}

/** What is wrong with a block that stands at `base` (empty: the top of the file). */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  base: readonly string[],
): TypeProblem[] {
  return issues.map(({ path }) => ({
    path: [...base, ...path].map(String).join("."),
    expected: EXPECTED[String(path[0])] ?? "an object",
  }));
}

const EXPECTED: Readonly<Record<string, string>> = {
  accessToken: "text without spaces",
  refreshToken: "text without spaces",
  expiresAt: "a whole number of milliseconds",
  refreshTokenExpiresAt: "a whole number of milliseconds",
  scopes: "a list of texts",
  subscriptionType: "text",
  rateLimitTier: "text",
  clientId: "text",
};
