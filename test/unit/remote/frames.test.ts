import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SyncCredsError } from "../../../src/errors.ts";
import { Answer, AnswerReader, renderRequest, renderScript } from "../../../src/remote/frames.ts";
import type { Fact } from "../../../src/remote/frames.ts";

const NONCE = "5c5c5c5c5c5c5c5c";

/** The code of the error that some work throws. */
const failureOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error instanceof SyncCredsError ? error.code : error;
  }
  return "none";
};

test("the script is sent without comments, indentation and empty lines", () => {
  const source = "# what it is\nset -u\n\nmain() {\n  # why\n  echo 'a # b'  \n}\n\tmain\n";
  expect(renderScript(source)).toBe("set -u\nmain() {\necho 'a # b'  \n}\nmain");
});

describe("a request", () => {
  test.each([
    [{ verb: "commit" } as const, "commit\n.\n"],
    [
      { verb: "probe", fields: { run: "a1", port: 8000, dir: "" } } as const,
      "probe\nrun=a1\nport=8000\ndir=\n.\n",
    ],
    [
      { verb: "file", fields: { size: 5 }, payload: Buffer.from("a\n.\nb") } as const,
      "file\nsize=5\n.\na\n.\nb",
    ],
  ])("%j", (request, expected) => {
    expect(renderRequest(request).toString("utf8")).toBe(expected);
  });

  test.each(["two\nlines", "a return\r", "a\0NUL"])(
    "refuses the value %j by its key alone",
    (value) => {
      const render = () => renderRequest({ verb: "begin", fields: { who: value } });
      expect(render).toThrow(/^the value of who has a line break$/);
    },
  );

  test("takes any other value as it is, on a line of its own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        fc.pre(!/[\n\r\0]/.test(value));
        const text = renderRequest({ verb: "begin", fields: { who: value } }).toString("utf8");
        expect(text.split("\n")).toEqual(["begin", `who=${value}`, ".", ""]);
      }),
    );
  });

  test("carries its payload byte for byte", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const request = renderRequest({ verb: "file", payload: Buffer.from(bytes) });
        expect(request.subarray("file\n.\n".length)).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe("an answer", () => {
  const answer = new Answer([
    { key: "env", value: "A set" },
    { key: "env", value: "B set" },
    { key: "hex", value: "" },
  ]);

  test("gives the first value of a key, or all of them", () => {
    expect([answer.get("env"), answer.all("env")]).toEqual(["A set", ["A set", "B set"]]);
  });

  test("tells an empty value from none", () => {
    expect([answer.get("hex"), answer.get("fail"), answer.all("fail")]).toEqual([
      "",
      undefined,
      [],
    ]);
  });
});

describe("reading what a host prints", () => {
  const read = (...chunks: (string | Buffer)[]): Fact[] => {
    const reader = new AnswerReader(NONCE);
    return chunks.flatMap((chunk) => reader.read(Buffer.from(chunk)));
  };

  test.each<[why: string, printed: string, facts: Fact[]]>([
    ["a fact", `${NONCE} user=ann\n`, [{ key: "user", value: "ann" }]],
    ["a key alone", `${NONCE} listening\n`, [{ key: "listening", value: "" }]],
    ["a value with an equals sign", `${NONCE} detail=a=b\n`, [{ key: "detail", value: "a=b" }]],
    ["a value that is empty", `${NONCE} hex=\n`, [{ key: "hex", value: "" }]],
    ["a terminal's line ends", `${NONCE} user=ann\r\n`, [{ key: "user", value: "ann" }]],
    ["spaces, which are kept", `${NONCE} detail= a  b \n`, [{ key: "detail", value: " a  b " }]],
    ["an unfinished line, which may go on", `${NONCE} user=an`, []],
    [
      "a file, up to the next fact",
      `${NONCE} bytes=\n 7b 22\n 0a\r\n${NONCE} end=read\n`,
      [
        { key: "bytes", value: "7b220a" },
        { key: "end", value: "read" },
      ],
    ],
    [
      "an empty file, whatever else is printed",
      `${NONCE} bytes=\nYou have mail.\n${NONCE} end=read\n`,
      [
        { key: "bytes", value: "" },
        { key: "end", value: "read" },
      ],
    ],
    [
      "what a program has printed, line by line",
      `${NONCE} list=\n-rw------- 1 /a b\n\n  /c\r\n${NONCE} df=\n${NONCE} end=read\n`,
      [
        { key: "list", value: "-rw------- 1 /a b\n\n  /c" },
        { key: "df", value: "" },
        { key: "end", value: "read" },
      ],
    ],
    ["the bytes of a file that has not ended", `${NONCE} bytes=\n 7b 22\n`, []],
    ["a greeting", "Welcome!\n\nuser=root\n", []],
    ["an answer of another run", "6d6d6d6d6d6d6d6d user=root\n", []],
    ["an echo with something before it", `echo ${NONCE} user=root\n`, []],
    ["a nonce that goes on", `${NONCE}5c user=root\n`, []],
    [
      "noise between facts",
      `motd\n${NONCE} a=1\n\u0007beep\n${NONCE} b=2\n`,
      [
        { key: "a", value: "1" },
        { key: "b", value: "2" },
      ],
    ],
  ])("%s", (_, printed, facts) => {
    expect(read(printed)).toEqual(facts);
  });

  test.each([`${NONCE}\n`, `the end of the script${NONCE}\r\n`])(
    "our own input sent back (%j) is no answer but a command that echoes",
    (printed) => {
      expect(() => read(printed)).toThrow("sends our script back");
    },
  );

  test("a character may be cut between two chunks", () => {
    const bytes = Buffer.from(`${NONCE} user=Ümit\n`);
    const cut = bytes.indexOf(0xc3) + 1;
    expect(read(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual([
      { key: "user", value: "Ümit" },
    ]);
  });

  test("however the bytes are cut, the facts are the same", () => {
    const line = fc.oneof(
      fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " ")),
      fc
        .tuple(fc.constantFrom("user", "env", "log", ""), fc.string({ unit: "grapheme" }))
        .map(([key, value]) => `${NONCE} ${key}=${value.replaceAll("\n", " ")}`),
    );
    const printed = fc
      .tuple(fc.array(line), fc.string())
      .map(([lines, rest]) => Buffer.from(`${lines.join("\n")}\n${rest}`));
    fc.assert(
      fc.property(printed, fc.array(fc.nat()), (bytes, places) => {
        const cuts = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
        const chunks = [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length));
        expect(read(...chunks)).toEqual(read(bytes));
      }),
    );
  });

  test("whatever a host prints, there are facts or a refusal", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        expect(Array.isArray(read(...chunks.map((chunk) => Buffer.from(chunk))))).toBe(true);
      }),
    );
  });

  const MIB = 1024 * 1024;

  test("a file of 256 KiB in hexadecimal digits is honest", () => {
    expect(read(`${NONCE} hex=${"0a".repeat(256 * 1024)}\n`)).toHaveLength(1);
  });

  test("a line that never ends is given up", () => {
    const flood = Buffer.alloc(64 * 1024, "x");
    expect(failureOf(() => read(...Array.from({ length: 17 }, () => flood)))).toBe("PROTOCOL");
    expect(failureOf(() => read(...Array.from({ length: 16 }, () => flood)))).toBe("none");
  });

  test("a flood of lines is given up", () => {
    const flood = Buffer.alloc(MIB, "x\n");
    expect(failureOf(() => read(...Array.from({ length: 9 }, () => flood)))).toBe("PROTOCOL");
  });
});
