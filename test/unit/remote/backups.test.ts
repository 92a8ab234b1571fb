import { expect, test } from "vitest";
import { parseBackups } from "../../../src/remote/backups.ts";
import { Answer } from "../../../src/remote/frames.ts";

/** An answer as the remote half gives it, one `key=value` a line. */
function answerOf(...lines: string[]): Answer {
  return new Answer(
    lines.map((line) => {
      const at = line.indexOf("=");
      return { key: line.slice(0, at), value: line.slice(at + 1) };
    }),
  );
}

const NAME = "20261124T223744Z-sync-creds-3f9a12bc55d01e77";
const COPY = `/home/deploy/.claude/.sync-creds/backups/${NAME}/1/backup`;

test("a backup is read with all its files", () => {
  const answer = answerOf(
    `list=-rw-r----- 1 1001 1001 2 Nov 24 22:00 ${COPY}`,
    `backup=committed ${NAME} ana@laptop`,
    "what=switch fallback on",
    "entry=aa bb none /srv/my app/config.py",
    `look=file ${COPY}`,
    "bytes=6869",
    "entry=absent cc as_root /etc/systemd/system/w.service.d/zz-sync-creds.conf",
    "backup=set-aside 20261124T000000Z-sync-creds-00 ben@desk",
  );
  expect(parseBackups(answer)).toEqual([
    {
      id: "3f9a12bc55d01e77",
      at: Date.UTC(2026, 10, 24, 22, 37, 44),
      who: "ana@laptop",
      what: "switch fallback on",
      isCommitted: true,
      files: [
        {
          path: "/srv/my app/config.py",
          was: "aa",
          became: "bb",
          asRoot: false,
          copy: { kind: "file", mode: "-rw-r-----", uid: 1001, links: 1, bytes: Buffer.from("hi") },
        },
        {
          path: "/etc/systemd/system/w.service.d/zz-sync-creds.conf",
          was: "absent",
          became: "cc",
          asRoot: true,
          copy: { kind: "absent", mode: "", uid: -1, links: 0, bytes: undefined },
        },
      ],
    },
    {
      id: "00",
      at: Date.UTC(2026, 10, 24),
      who: "ben@desk",
      what: "push",
      isCommitted: false,
      files: [],
    },
  ]);
});

test.each(["relative/path", "/with\u001B[2Jescape", ""])(
  "a path that is no good is left out: %j",
  (path) => {
    const answer = answerOf(
      `backup=committed ${NAME} ana`,
      `entry=aa bb none ${path}`,
      `look=file ${COPY}`,
    );
    expect(parseBackups(answer)).toMatchObject([{ files: [] }]);
  },
);

test("words of the host are made fit for a terminal", () => {
  const [backup] = parseBackups(
    answerOf(`backup=committed ${NAME} ana\u001B[31m`, "what=push\u0007"),
  );
  expect(JSON.stringify(backup)).not.toMatch(/\\u001b|\\u0007/);
});

test("no backups are none", () => {
  expect(parseBackups(answerOf())).toEqual([]);
});
