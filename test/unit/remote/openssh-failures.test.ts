import { describe, expect, test } from "vitest";
import { isThrottledBy } from "../../../src/remote/openssh-failures.ts";

// What OpenSSH 9.2 prints for a connection that is reset before the greeting depends on how far it has come by then.
describe("a connection that sshd drops at once is tried again", () => {
  test.each([
    [
      "kex_exchange_identification: read: Connection reset by peer",
      "Connection reset by 127.0.0.1 port 22",
    ],
    ["Connection reset by 127.0.0.1 port 22"],
    ["Connection reset by UNKNOWN port -1"],
    ["kex_exchange_identification: Connection closed by remote host"],
    ["ssh: connect to host 127.0.0.1 port 22: Connection reset by peer"],
    [
      "debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups",
      "kex_exchange_identification: Connection closed by remote host",
      "Connection closed by 127.0.0.1 port 22",
    ],
  ])("when ssh says %s", (...log) => {
    expect(isThrottledBy(log)).toBe(true);
  });
});

test.each([
  ["ssh: connect to host 127.0.0.1 port 22: Connection refused"],
  [
    "nc: no such host",
    "kex_exchange_identification: Connection closed by remote host",
    "Connection closed by UNKNOWN port 65535",
  ],
  ["debug1: Connecting to 127.0.0.1 [127.0.0.1] port 22."],
  [
    "debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request",
    "kex_exchange_identification: Connection closed by remote host",
  ],
])("a connection that failed otherwise is not: %s", (...log) => {
  expect(isThrottledBy(log)).toBe(false);
});
