import { expect, test } from "vitest";
import { openDraft, saveDraft } from "../../../src/hosts/draft.ts";
import { addToHosts } from "../../../src/hosts/edit.ts";
import type { Ports } from "../../../src/ports.ts";
import { fakePorts, type FakeFile } from "../../support/fake-ports.ts";
import { ENOUGH } from "./a-hosts-file.ts";

const PATH = "/home/ann/hosts/hosts.json";
const CONTENT = JSON.stringify({ hosts: { "web-1": ENOUGH } });
const WEB_2 = { hosts: { "web-2": ENOUGH } };

test("a file is read, edited and put back, byte order mark included", async () => {
  const ports = withFile({ content: `\uFEFF${CONTENT}` });
  const draft = await openDraft(ports);
  await saveDraft(draft, addToHosts(draft.text, WEB_2), ports);
  expect(await contentOf(ports)).toBe(
    `\uFEFF${JSON.stringify({ hosts: { "web-1": ENOUGH, "web-2": ENOUGH } })}`,
  );
});

test("a file without hosts can get its first", async () => {
  const ports = withFile({ content: '{ "hosts": {} }' });
  const draft = await openDraft(ports);
  await saveDraft(draft, addToHosts(draft.text, WEB_2), ports);
  expect(await contentOf(ports)).toContain('"web-2"');
});

test("without any file a new one is begun in this folder, or where one is named", async () => {
  const ports = fakePorts();
  expect(await openDraft(ports)).toMatchObject({ origin: { path: PATH, shownAs: "hosts.json" } });
  const named = await openDraft(ports, "sub/mine.json");
  await saveDraft(named, addToHosts(named.text, WEB_2), ports);
  expect(await contentOf(ports, "/home/ann/hosts/sub/mine.json")).toContain('"web-2"');
});

test("what the loader would not accept is not written", async () => {
  const ports = withFile({ content: CONTENT });
  const draft = await openDraft(ports);
  const edited = addToHosts(draft.text, { hosts: { "web 2": ENOUGH } });
  await expect(saveDraft(draft, edited, ports)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect(await contentOf(ports)).toBe(CONTENT);
});

test("a file that is wrong already is refused as it stands", async () => {
  const broken = withFile({ content: '{ "hosts": { "web-1": { "ssh": "a" }, } }' });
  await expect(openDraft(broken)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  const noJson = withFile({ content: '{ "hosts": {' });
  await expect(openDraft(noJson)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test.each([
  ["changed", { [PATH]: { content: `${CONTENT} ` } }],
  ["removed", {}],
])("a file that was %s meanwhile is left alone", async (_, later) => {
  const ports = withFile({ content: CONTENT });
  const draft = await openDraft(ports);
  const then = fakePorts({ files: later });
  await expect(saveDraft(draft, addToHosts(draft.text, WEB_2), then)).rejects.toMatchObject({
    code: "FILE_CHANGED",
  });
});

test("a file that was made meanwhile is left alone", async () => {
  const draft = await openDraft(fakePorts());
  const then = withFile({ content: CONTENT });
  await expect(saveDraft(draft, addToHosts(draft.text, WEB_2), then)).rejects.toMatchObject({
    code: "FILE_CHANGED",
  });
  expect(await contentOf(then)).toBe(CONTENT);
});

test.each([
  ["read-only", { mode: 0o400 }, "hosts.json is read-only"],
  ["root's", { uid: 0, mode: 0o644 }, "hosts.json is not yours to change"],
])("a file that is %s is refused before anything is asked", async (_, file, message) => {
  const ports = withFile({ content: CONTENT, ...file });
  await expect(openDraft(ports)).rejects.toMatchObject({ code: "CONFIG_UNWRITABLE", message });
});

test("what the disk refuses is told", async () => {
  const ports = withFile({ content: CONTENT });
  const draft = await openDraft(ports);
  const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
  const failing = { ...ports, files: { ...ports.files, replace: () => Promise.reject(full) } };
  await expect(saveDraft(draft, addToHosts(draft.text, WEB_2), failing)).rejects.toMatchObject({
    code: "CONFIG_UNWRITABLE",
    why: "the system said ENOSPC; the file is as it was",
  });
});

function withFile(file: FakeFile): Ports {
  return fakePorts({ files: { [PATH]: file } });
}

async function contentOf(ports: Ports, path = PATH): Promise<string> {
  return (await ports.files.read(path)).bytes.toString("utf8");
}
