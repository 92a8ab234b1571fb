import { expect, test } from "vitest";
import { listSshAliases, parseSshConfigLine } from "../../../src/hosts/ssh-aliases.ts";
import { fakePorts, type FakeFile } from "../../support/fake-ports.ts";

const CONFIG = "/home/ann/.ssh/config";

test("the plain words of Host lines are names; patterns and negations are not", async () => {
  const names = await aliasesOf(
    [
      "Host web-1 web-2 *.example.com !web-3 db?",
      "  HostName 192.0.2.1",
      "host=gw",
      "HOST web-1 # again",
    ].join("\r\n"),
  );
  expect(names).toEqual(["web-1", "web-2", "gw"]);
});

test.each([
  ["Host a b", ["host", "a", "b"]],
  ["\thost = a", ["host", "a"]],
  ["Host=a", ["host", "a"]],
  ['Host "a b" c', ["host", "a b", "c"]],
  ["Host 'a' c#d # e", ["host", "a", "c#d"]],
  ["# Host a", [""]],
  ["", [""]],
  ["Match host a", ["match", "host", "a"]],
])("a line of ssh_config: %j", (line, words) => {
  expect(parseSshConfigLine(line)).toEqual(words);
});

test("included files have their say: from ~/.ssh, from home, absolute, by pattern, and in their own order", async () => {
  const names = await aliasesOf(
    "Include conf.d/*.conf ~/office/ssh /etc/more\nHost last\nInclude missing none/*\n",
    {
      "/home/ann/.ssh/conf.d/b.conf": "Host b",
      "/home/ann/.ssh/conf.d/a.conf": "Host a\nInclude deep",
      "/home/ann/.ssh/conf.d/.hidden.conf": "Host hidden",
      "/home/ann/.ssh/conf.d/c.txt": "Host c",
      "/home/ann/.ssh/deep": "Host deep",
      "/home/ann/office/ssh": "Host work",
      "/etc/more": "Host more",
    },
  );
  expect(names).toEqual(["a", "deep", "b", "work", "more", "last"]);
});

test.each([
  ["h?sts-[ab]", ["hosts-a", "hosts-b"]],
  ["hosts-[!ab]", ["hosts-c"]],
  ["[z-a]", []],
  ["(hosts|x)*", []],
])("patterns of Include are those of a shell: %s", async (pattern, found) => {
  const files = ["hosts-a", "hosts-b", "hosts-c"].map((name) => [
    `/home/ann/.ssh/${name}`,
    `Host ${name}`,
  ]);
  expect(await aliasesOf(`Include ${pattern}`, Object.fromEntries(files))).toEqual(found);
});

test("files that include each other end", async () => {
  const files = { "/home/ann/.ssh/other": "Host other\nInclude config other" };
  expect(await aliasesOf("Host one\nInclude other\n", files)).toEqual(["one", "other"]);
});

test("as for ssh, sixteen files deep is the end", async () => {
  const files = Array.from({ length: 20 }, (_, at): [string, string] => [
    `/home/ann/.ssh/${at + 1}`,
    `Host h${at + 1}\nInclude ${at + 2}`,
  ]);
  const names = await aliasesOf("Include 1", Object.fromEntries(files));
  expect(names.at(-1)).toBe("h16");
});

test("without a file the other sources are named", async () => {
  await expect(listSshAliases(CONFIG, fakePorts())).rejects.toMatchObject({
    code: "USAGE",
    message: `no hosts can be read from ${CONFIG}`,
    why: "there is no such file",
  });
});

function aliasesOf(config: string, files: Record<string, string> = {}): Promise<string[]> {
  const all = Object.entries({ [CONFIG]: config, ...files });
  const disk = all.map(([path, content]): [string, FakeFile] => [path, { content }]);
  return listSshAliases(CONFIG, fakePorts({ files: Object.fromEntries(disk) }));
}
