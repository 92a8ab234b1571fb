import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guardChain } from "../../../src/plan/chain-guard.ts";
import type { ChainQuestion, HostLogin, OurLogin } from "../../../src/plan/chain-guard.ts";

const ours: OurLogin = {
  fingerprint: "ours-new",
  validUntil: 2000,
  localRefreshFingerprint: "ours-refresh",
};
const OWN =
  "the host has a login of its own, with a refresh token that did not come from this laptop";
const RENEWED =
  "what this laptop wrote there is there no more: the host's own Claude has renewed it, or somebody has logged in there";
const NEWER = "the host has a newer access token than this laptop";

const guard = (host: HostLogin, different: Partial<ChainQuestion> = {}) =>
  guardChain({ host, ours, lastWritten: [], knownDead: false, now: 1500, ...different });

describe("nothing is destroyed by writing over", () => {
  test.each<[string, HostLogin, Partial<ChainQuestion>]>([
    ["no file", { state: "absent" }, {}],
    ["a damaged file", { state: "corrupt" }, {}],
    ["a file without a login", { state: "no-login" }, {}],
    ["a blanked login", { state: "blanked" }, {}],
    ["the same access token", { state: "login", fingerprint: "ours-new", expiresAt: 9999 }, {}],
    [
      "a login with this laptop's refresh token, as the runbook left it",
      { state: "login", fingerprint: "x", refreshFingerprint: "ours-refresh", expiresAt: 9999 },
      {},
    ],
    [
      "a login that this laptop handed over",
      { state: "login", fingerprint: "x", refreshFingerprint: "handed-over" },
      { lastWritten: ["handed-over"] },
    ],
    ["an older access token", { state: "login", fingerprint: "x", expiresAt: 1999 }, {}],
    ["one that ends at the same time", { state: "login", fingerprint: "x", expiresAt: 2000 }, {}],
    ["one that does not say when it ends", { state: "login", fingerprint: "x" }, {}],
    [
      "a newer one that came from this laptop",
      { state: "login", fingerprint: "x", expiresAt: 9999 },
      { lastWritten: ["x"] },
    ],
    [
      "a newer one, when ours has no end",
      { state: "login", fingerprint: "x", expiresAt: 9999 },
      { ours: { fingerprint: "ours-new" } },
    ],
    [
      "a login of its own that is known to be dead",
      { state: "login", fingerprint: "x", refreshFingerprint: "y", expiresAt: 9999 },
      { knownDead: true },
    ],
    [
      "an access token from elsewhere that is over, though ours ends sooner",
      { state: "login", fingerprint: "x", expiresAt: 1499 },
      { ours: { fingerprint: "ours-new", validUntil: 1000 } },
    ],
    [
      "a login of its own that nothing can renew any more",
      {
        state: "login",
        fingerprint: "x",
        refreshFingerprint: "y",
        expiresAt: 1400,
        loginEndsAt: 1499,
      },
      {},
    ],
  ])("%s", (_, host, different) => {
    expect(guard(host, different)).toBeUndefined();
  });
});

describe("something would be destroyed", () => {
  test.each<[string, HostLogin, Partial<ChainQuestion>, string]>([
    [
      "a login with a refresh token from elsewhere",
      { state: "login", fingerprint: "x", refreshFingerprint: "y" },
      {},
      OWN,
    ],
    [
      "a login that the host has renewed since we handed it over",
      { state: "login", fingerprint: "x", refreshFingerprint: "renewed" },
      { lastWritten: ["handed-over", "x-before"] },
      RENEWED,
    ],
    [
      "a login of its own that its refresh token can still renew",
      { state: "login", fingerprint: "x", refreshFingerprint: "y", expiresAt: 1400 },
      {},
      OWN,
    ],
    [
      "a refresh token without an access token",
      { state: "login", refreshFingerprint: "y" },
      {},
      OWN,
    ],
    [
      "a newer access token from elsewhere",
      { state: "login", fingerprint: "x", expiresAt: 2001 },
      {},
      NEWER,
    ],
  ])("%s", (_, host, different, why) => {
    expect(guard(host, different)).toBe(why);
  });
});

test("a refresh token that nobody here knows is never written over unasked", () => {
  const login = fc.record({
    state: fc.constant("login" as const),
    fingerprint: fc.option(fc.string(), { nil: undefined }),
    refreshFingerprint: fc.string({ minLength: 1 }),
    expiresAt: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(login, fc.array(fc.string()), (host, lastWritten) => {
      fc.pre(host.fingerprint !== ours.fingerprint);
      fc.pre(![...lastWritten, ours.localRefreshFingerprint].includes(host.refreshFingerprint));
      expect(guard(host, { lastWritten })).toBe(lastWritten.length === 0 ? OWN : RENEWED);
    }),
  );
});
