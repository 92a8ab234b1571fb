import { expect, test } from "vitest";
import { fingerprintOf } from "../../../src/credentials/fingerprint.ts";
import { Secret } from "../../../src/secret.ts";

test("a fingerprint is the beginning of the SHA-256, as `printf abc | sha256sum` prints it", () => {
  expect(fingerprintOf(new Secret("abc"))).toBe("ba7816bf");
});
