import { expect, test } from "vitest";
import { expandPath } from "../../../src/connect/tokens.ts";

const VALUES = {
  home: "/home/ann",
  hostName: "web-1.example.com",
  alias: "web",
  port: 2222,
  user: "deploy",
  localUser: "ann",
  env: { KEYS: "/mnt/keys", ODD: "$& %h" },
};

test.each([
  ["~/.ssh/id_ed25519", "/home/ann/.ssh/id_ed25519"],
  ["~", "/home/ann"],
  ["/etc/~/key", "/etc/~/key"],
  ["%d/.ssh/%h-%p-%r-%u-%n", "/home/ann/.ssh/web-1.example.com-2222-deploy-ann-web"],
  ["/keys/100%%/%%h", "/keys/100%/%h"],
  ["${KEYS}/id", "/mnt/keys/id"],
  ["/a/${ODD}", "/a/$& %h"],
  ["/plain path/with spaces", "/plain path/with spaces"],
])("%s becomes %s", (path, expanded) => {
  expect(expandPath(path, VALUES)).toBe(expanded);
});

test.each(["%Z/key", "/ends/with/%", "${UNSET}/key", "${}"])(
  "%s uses what is not there, so it is no path",
  (path) => {
    expect(expandPath(path, VALUES)).toBeUndefined();
  },
);
