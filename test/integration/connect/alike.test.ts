import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { askAlike, type Question } from "../../../src/connect/alike.ts";
import { selectors } from "../../../src/connect/ssh-config.ts";
import { nodePorts } from "../../../src/node-ports.ts";
import type { Ports } from "../../../src/ports.ts";
import { hasSshd } from "../../support/sshd.ts";

const directory = mkdtempSync(join(tmpdir(), "sync-creds-alike-"));
afterAll(() => rmSync(directory, { recursive: true }));

const NAMES = ["a", "b", "web-1.example.com", "d-4", "1.0.0.1", "10.0.0.1"];
/** Names with which `ssh` does more than to print them. */
const ODD = ["Web-1.Example.com", "10.1", "10.0.0.010", "3com", "0x7f.1", "fe80::1", "under_score"];

const part = (name: string, text: string): string => {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
};
const plainPart = part("plain.inc", "Host *\n ServerAliveInterval 9\n");
const namedPart = part("named.inc", "Host d-4\n ServerAliveInterval 9\n");
const nestedPart = part("nested.inc", `Include ${namedPart}\n`);

const UNIFORM: readonly string[] = [
  "",
  "User deploy\nPort 2222\nIdentityFile ~/.ssh/%r@%h\nHostKeyAlias one\n",
  "Host *\r\n\tUser deploy\r\n\tLogLevel QUIET\r\n",
  "host=*\nUser=deploy\nControlPath ~/.ssh/one-%r-%p\nLogLevel DEBUG3\n",
  `Include ${plainPart}\nUser deploy\n`,
  `Host bastion\n Include ${plainPart}\nHost *\n User deploy\n`,
  "Host bastion github.com\n User git\n HostName git.example.com\n",
  "Host bastion\n ProxyJump a\n ControlPath /tmp/%C\nHost *\n ProxyJump none\n",
  "HostName gate.example.com\nUser deploy\n",
  "Match final all\n User deploy\nMatch all\n Port 2222\n",
  "Host .host machine/.host\n ProxyUseFdpass yes\nHost unix/* vsock%*\n ProxyCommand x %h %p\n",
];

const TELLING: readonly string[] = [
  "Host d-4\n User deploy\n",
  "Host bastion d-4\n User deploy\n",
  "Host web-*\n User deploy\n",
  "Host * !10.0.0.1\n User deploy\n",
  '"Host" d-4\n User deploy\n',
  ' Host\t"d-4"\n User deploy\n',
  "=Host d-4\n User deploy\n",
  `Include ${namedPart}\n`,
  `Host *\n Include ${nestedPart}\n`,
  "Match originalhost d-4\n User deploy\n",
  "Match host *.example.com\n User deploy\n",
  "Match exec \"test '%n' = d-4\"\n User deploy\n",
  "Match final host d-4\n User deploy\n",
  "Match localuser * originalhost d-4\n Port 2222\n",
  "ControlPath /tmp/%C\n",
  "ControlPath /tmp/%h\n",
  "UserKnownHostsFile /tmp/%k\n",
  "HostName %h.example.com\n",
  "HostName 0%h\n",
  "HostName a\n",
  "ProxyJump d-4\n",
  "ProxyJump deploy@d-4:2222\n",
  "CanonicalizeHostname no\n",
  "Port none\n",
];

let configs = 0;
function ask(config: string, names: readonly string[], ssh: { user?: string; port?: number } = {}) {
  const sshConfig = part(`config-${configs++}`, config);
  return names.map((host): Question => {
    return { host, argv: [...selectors({ ssh: { host, ...ssh }, sshConfig }), "--", host] };
  });
}

/** The answers, what `ssh` itself says, and how often it was run for them. */
async function compare(questions: readonly Question[], ports: Ports = nodePorts()) {
  let runs = 0;
  const runInTurn = ports.runInTurn!;
  const answers = await Promise.all(
    askAlike(questions, ports, (program, argvs) => {
      runs += argvs.length;
      return runInTurn(program, argvs);
    }),
  );
  const argvs = questions.map(({ argv }) => argv);
  const truth = await Promise.all(runInTurn("ssh", argvs));
  const text = (rans: typeof truth) => rans.map((ran) => ran && [ran.code, ran.stdout]);
  return { answers: text(answers), truth: text(truth), runs };
}

describe.skipIf(!hasSshd)("hosts that a configuration does not tell apart", () => {
  test.each(UNIFORM)("have the answers of ssh by two runs: %j", async (config) => {
    const { answers, truth, runs } = await compare(ask(config, NAMES));
    expect(answers).toEqual(truth);
    expect(truth).not.toContain(undefined);
    expect(runs).toBe(2);
  });

  test.each(UNIFORM)("have them also among others: %j", async (config) => {
    const groups = [
      ask(config, ["bastion", "github.com"]),
      ask(config, NAMES, { user: "ann" }),
      ask(config, ODD),
      ask(config, NAMES, { user: "ann", port: 2022 }),
      ask(config, NAMES.slice(0, 3), { port: 2022 }),
    ];
    const { answers, truth, runs } = await compare(groups.flat());
    expect(answers).toEqual(truth);
    expect(runs).toBe(2 + 2 + ODD.length + 2 + 3);
  });

  test("have them without a file of their own too", async () => {
    const questions = NAMES.map((host) => ({
      host,
      argv: [...selectors({ ssh: { host } }), "--", host],
    }));
    const { answers, truth } = await compare(questions);
    expect(answers).toEqual(truth);
  });

  test("are all asked about where a script stands for ssh", async () => {
    const bin = mkdtempSync(join(directory, "bin-"));
    writeFileSync(join(bin, "ssh"), '#!/bin/sh\nexec /usr/bin/ssh "$@"\n', { mode: 0o755 });
    const env = { PATH: `/no/such/folder:${bin}:${process.env["PATH"]}` };
    const { answers, truth, runs } = await compare(ask("", NAMES), nodePorts({ env }));
    expect(answers).toEqual(truth);
    expect(runs).toBe(NAMES.length + 1);
  });

  test("are all asked about where a file cannot be read again", async () => {
    const { files, ...ports } = nodePorts();
    const read = (path: string) => {
      if (path === plainPart) return Promise.reject(new Error("EACCES"));
      return files.read(path);
    };
    const questions = ask(`Include ${plainPart}\n`, NAMES);
    const { answers, truth, runs } = await compare(questions, {
      ...ports,
      files: { ...files, read },
    });
    expect(answers).toEqual(truth);
    expect(runs).toBe(NAMES.length + 1);
  });

  test("are all asked about where ssh names no file", async () => {
    const questions = NAMES.map((host) => ({ host, argv: ["-TG", "-F", "none", "--", host] }));
    const { answers, truth, runs } = await compare(questions);
    expect(answers).toEqual(truth);
    expect(runs).toBe(NAMES.length + 1);
  });
});

describe.skipIf(!hasSshd)("hosts that a configuration may tell apart", () => {
  test.each(TELLING)("are asked about one by one: %j", async (config) => {
    const { answers, truth, runs } = await compare(ask(config, NAMES));
    expect(answers).toEqual(truth);
    expect(truth).not.toContain(undefined);
    // The second is asked about twice.
    expect(runs).toBe(NAMES.length + 1);
  });

  test("are asked about one by one though the first two have the same answer", async () => {
    // 01.0.0.1 is 1.0.0.1 and 02.0.0.1 is 2.0.0.1, but 010.0.0.1 is 8.0.0.1.
    const addresses = ["1.0.0.1", "2.0.0.1", "10.0.0.1", "3.0.0.1"];
    const { answers, truth, runs } = await compare(ask("HostName 0%h\n", addresses));
    expect(answers).toEqual(truth);
    expect(truth[2]?.[1]).toContain("hostname 8.0.0.1\n");
    expect(runs).toBe(addresses.length + 1);
  });

  test("are asked about one by one also with a user and a port", async () => {
    const groups = TELLING.map((config) => ask(config, NAMES, { user: "ann", port: 2022 }));
    const { answers, truth, runs } = await compare(groups.flat());
    expect(answers).toEqual(truth);
    expect(runs).toBe(TELLING.length * (NAMES.length + 1));
  });
});
