import * as fc from "fast-check";
import { getNodeValue, findNodeAtLocation, parseTree, type ParseError } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { addToHosts, EMPTY_FILE, insertValue } from "../../../src/hosts/edit.ts";

const WEB_2 = { hosts: { "web-2": { ssh: "web-2" } } };

describe("a new host stands behind the others", () => {
  test("and what is there stays as it is: comments, blank lines, spaces, trailing commas", () => {
    const text = `// mine
{
    "hosts": { // all of them

        "web-1": { "ssh":"web-1",
          "runAs": "claude" /* its account */ }, // the first

        // "old": { "ssh": "old" },
    },
}
`;
    expect(addToHosts(text, WEB_2)).toBe(`// mine
{
    "hosts": { // all of them

        "web-1": { "ssh":"web-1",
          "runAs": "claude" /* its account */ }, // the first

        "web-2": { "ssh": "web-2" },

        // "old": { "ssh": "old" },
    },
}
`);
  });

  test("a comment of the last one stays with it, and the comma comes in front of the comment", () => {
    const text = '{\n  "hosts": {\n    "web-1": { "ssh": "web-1" } // the first\n  }\n}\n';
    expect(addToHosts(text, WEB_2)).toBe(
      '{\n  "hosts": {\n    "web-1": { "ssh": "web-1" }, // the first\n    "web-2": { "ssh": "web-2" }\n  }\n}\n',
    );
  });

  test("a comma on a line of its own ends the entry before", () => {
    const text = '{ "hosts": {\n  "web-1": { "ssh": "web-1" }\n  , // so be it\n} }';
    expect(addToHosts(text, WEB_2)).toBe(
      '{ "hosts": {\n  "web-1": { "ssh": "web-1" }\n  , // so be it\n  "web-2": { "ssh": "web-2" },\n} }',
    );
  });

  test("it is not put into the comment of a line that holds several", () => {
    const text = '{\n  "hosts": {\n    "a": { "ssh": "a" }, "b": { "ssh": "b" } // two\n  }\n}';
    expect(addToHosts(text, WEB_2)).toBe(
      '{\n  "hosts": {\n    "a": { "ssh": "a" }, "b": { "ssh": "b" }, // two\n    "web-2": { "ssh": "web-2" }\n  }\n}',
    );
  });

  test.each([
    [
      "tabs",
      '{\n\t"hosts": {\n\t\t"a": { "ssh": "a" }\n\t}\n}',
      '{\n\t"hosts": {\n\t\t"a": { "ssh": "a" },\n\t\t"web-2": { "ssh": "web-2" }\n\t}\n}',
    ],
    [
      "CRLF",
      '{\r\n  "hosts": {\r\n    "a": { "ssh": "a" }\r\n  }\r\n}\r\n',
      '{\r\n  "hosts": {\r\n    "a": { "ssh": "a" },\r\n    "web-2": { "ssh": "web-2" }\r\n  }\r\n}\r\n',
    ],
    [
      "one dense line",
      '{"hosts":{"a":{"ssh":"a"}}}',
      '{"hosts":{"a":{"ssh":"a"},"web-2":{"ssh":"web-2"}}}',
    ],
    [
      "one airy line",
      '{ "hosts": { "a": { "ssh": "a" } } }\n',
      '{ "hosts": { "a": { "ssh": "a" }, "web-2": { "ssh": "web-2" } } }\n',
    ],
    [
      "no host yet",
      '{\n  "hosts": {}\n}\n',
      '{\n  "hosts": {\n    "web-2": { "ssh": "web-2" }\n  }\n}\n',
    ],
    ["no host yet, on one line", '{"hosts":{}}', '{"hosts":{"web-2":{"ssh":"web-2"}}}'],
    [
      "nothing but a comment",
      '{\n  "hosts": {\n    // none yet\n  }\n}\n',
      '{\n  "hosts": {\n    // none yet\n    "web-2": { "ssh": "web-2" }\n  }\n}\n',
    ],
    ["a new file", EMPTY_FILE, '{\n  "hosts": {\n    "web-2": { "ssh": "web-2" }\n  }\n}\n'],
  ])("%s", (_, text, edited) => {
    expect(addToHosts(text, WEB_2)).toBe(edited);
  });

  test("what is too long for a line gets one line for each of its parts", () => {
    const restart = { kind: "systemd", unit: "claude-wrapper.service" };
    const host = { ssh: "deploy@web-2.example.com", runAs: "claude", restart };
    expect(addToHosts('{\r\n\t"hosts": {}\r\n}', { hosts: { "web-2": host } })).toBe(
      [
        "{",
        '\t"hosts": {',
        '\t\t"web-2": {',
        '\t\t\t"ssh": "deploy@web-2.example.com",',
        '\t\t\t"runAs": "claude",',
        '\t\t\t"restart": { "kind": "systemd", "unit": "claude-wrapper.service" }',
        "\t\t}",
        "\t}",
        "}",
      ].join("\r\n"),
    );
  });
});

test("groups, defaults and sshConfig are added where they are, and made where they are not", () => {
  const text = `{
  "defaults": { "wrapper": { "timeoutMs": 1 } }, // d
  "groups": {
    "prod": { "hosts": ["web-1"] }, // p
  },
  "hosts": {
    "web-1": { "ssh": "web-1" }
  }
}
`;
  const addition = {
    ...WEB_2,
    groups: { prod: ["web-2"], eu: ["web-1", "web-2"] },
    defaults: [
      [["wrapper", "url"], "http://127.0.0.1:8000"],
      [["restart"], { kind: "none" }],
    ] as const,
    sshConfig: "./ssh_config",
  };
  expect(addToHosts(text, addition)).toBe(`{
  "defaults": { "wrapper": { "timeoutMs": 1, "url": "http://127.0.0.1:8000" }, "restart": { "kind": "none" } }, // d
  "groups": {
    "prod": { "hosts": ["web-1", "web-2"] }, // p
    "eu": { "hosts": ["web-1", "web-2"] },
  },
  "hosts": {
    "web-1": { "ssh": "web-1" },
    "web-2": { "ssh": "web-2" }
  },
  "sshConfig": "./ssh_config"
}
`);
  expect(addToHosts(EMPTY_FILE, addition)).toBe(`{
  "sshConfig": "./ssh_config",
  "defaults": {
    "wrapper": { "url": "http://127.0.0.1:8000" },
    "restart": { "kind": "none" }
  },
  "groups": {
    "prod": { "hosts": ["web-2"] },
    "eu": { "hosts": ["web-1", "web-2"] }
  },
  "hosts": {
    "web-2": { "ssh": "web-2" }
  }
}
`);
});

test("nothing that is there is ever replaced", () => {
  expect(() => insertValue('{"sshConfig":"a"}', ["sshConfig"], "b")).toThrow(
    "sshConfig is there already",
  );
  expect(() => insertValue('{"hosts":1}', ["hosts", "a"], {})).toThrow("hosts is no object");
});

/** Blanks and comments, as a person strews them between the parts of a file. */
const gap = fc
  .array(
    fc.constantFrom(" ", "\n", "\r\n", "\t", "    ", "/* a, b */", "// c, {d}\n", "\n  // e\n"),
    {
      maxLength: 3,
    },
  )
  .map((parts) => parts.join(""));
const key = fc.constantFrom("a", "b", "web-1", "hosts", "url", "x y", "ä", 'q"');
const { value: anyJson } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("1", "true", "null", '"text // no comment, {"', '""'),
    containerOf(tie("value"), "[", "]"),
    fc
      .uniqueArray(fc.tuple(key, gap, tie("value")), { maxLength: 3, selector: ([name]) => name })
      .chain((entries) =>
        containerWith(
          entries.map(([name, space, text]) => `${JSON.stringify(name)}:${space}${text}`),
          "{",
          "}",
        ),
      ),
  ),
}));

function containerOf(item: fc.Arbitrary<string>, open: string, close: string) {
  return fc.array(item, { maxLength: 3 }).chain((items) => containerWith(items, open, close));
}

function containerWith(items: readonly string[], open: string, close: string) {
  return fc
    .tuple(fc.array(gap, { minLength: 9, maxLength: 9 }), fc.boolean())
    .map(([gaps, isTrailing]) => {
      const comma = isTrailing && items.length > 0 ? "," : "";
      const body = items.map((item, at) => `${gaps[2 * at]}${item}${gaps[2 * at + 1]}`).join(",");
      return `${open}${body}${comma}${gaps[8]}${close}`;
    });
}

describe("whatever the file looks like", () => {
  const files = fc
    .tuple(
      gap,
      fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), anyJson), { maxLength: 2 }),
      gap,
      gap,
    )
    .chain(([before, others, space, after]) =>
      containerWith(
        [...new Map(others)].map(([name, text]) => `"${name}":${space}${text}`),
        "{",
        "}",
      )
        .chain((hosts) =>
          containerWith([`"defaults":${space}1`, `"hosts":${space}${hosts}`], "{", "}"),
        )
        .map((text) => `${before}${text}${after}`),
    );

  test("every other key, comment and byte is as it was", () => {
    fc.assert(
      fc.property(files, fc.constantFrom("web-9", "ö"), (text, name) => {
        const added = { ssh: "web-9.example.com", restart: { kind: "none" } };
        const edited = insertValue(text, ["hosts", name], added);

        const before = read(text) as { hosts: object };
        expect(read(edited)).toEqual({ ...before, hosts: { ...before.hosts, [name]: added } });
        const { parent } = findNodeAtLocation(parseTree(edited)!, ["hosts", name])!;
        const rest =
          edited.slice(0, parent!.offset) + edited.slice(parent!.offset + parent!.length);
        const marks = (some: string) => some.replace(/[\s,]/g, "");
        expect(marks(rest)).toBe(marks(text));
        const hasHosts = Object.keys(before.hosts).length > 0;
        if (hasHosts) expect(isWithin(text, edited)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  /** Whether one text is left when parts of the other are taken out. */
  function isWithin(part: string, whole: string): boolean {
    let at = 0;
    for (const letter of whole) if (part.startsWith(letter, at)) at += letter.length;
    return at === part.length;
  }

  function read(text: string): unknown {
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { allowTrailingComma: true });
    expect(errors).toEqual([]);
    return root && (getNodeValue(root) as unknown);
  }
});
