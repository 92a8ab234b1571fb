import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { fingerprintOf } from "../../src/credentials/fingerprint.ts";
import { Secret } from "../../src/secret.ts";
import type { Ended, Stage } from "./stage.ts";

/** The host's credentials file, `undefined` when there is none. */
export function readHostFile({ hostFile }: Pick<Stage, "hostFile">): string | undefined {
  return existsSync(hostFile) ? readFileSync(hostFile, "utf8") : undefined;
}

/** The one host of hosts.json, as the stage wrote it. */
export function entryOf({ hostsJson }: Stage): Entry {
  const { hosts } = JSON.parse(readFileSync(hostsJson, "utf8")) as { hosts: { "web-1": Entry } };
  return hosts["web-1"];
}

interface Entry {
  readonly restart: { readonly kind: string; readonly command: string };
  readonly wrapper: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** The access token in the host's file. */
export function hostToken(stage: Pick<Stage, "hostFile">): string | undefined {
  const text = readHostFile(stage);
  if (text === undefined) return undefined;
  const { claudeAiOauth } = JSON.parse(text) as { claudeAiOauth?: { accessToken?: string } };
  return claudeAiOauth?.accessToken;
}

/** The host is as it was: its file byte for byte, private, and nothing of ours under way. */
export function expectOldFile(stage: Stage, before: string | undefined): void {
  expect(readHostFile(stage)).toBe(before);
  expectSettled(stage);
}

/** The new credentials are proven: the run says so, the file holds them, and the wrapper answers with them. */
export async function expectProven(stage: Stage, ended: Ended, token: string): Promise<void> {
  expect(ended.result).toMatchObject({
    outcome: "verified",
    fingerprint: fingerprintOf(new Secret(token)),
  });
  expect(ended.code).toBe(0);
  expect(hostToken(stage)).toBe(token);
  expect(await stage.chat("still there?")).toBe("there?");
  expectSettled(stage);
}

/** No change is under way, no lock is held, no half-made copy lies about, and the file is private. */
export function expectSettled({ hostFile }: Stage): void {
  const folder = dirname(hostFile);
  if (!existsSync(folder)) return;
  const left = [
    ...readdirSync(folder).filter((name) => name.startsWith(".credentials.json.")),
    ...["pending", "lock"].filter((name) => existsSync(join(folder, ".sync-creds", name))),
  ];
  expect(left).toEqual([]);
  if (existsSync(hostFile)) expect(lstatSync(hostFile).mode & 0o777).toBe(0o600);
}

/** Every entry below a folder with its kind, mode, owner, size, content and times. */
export function treeOf(folder: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, name);
    const { mode, uid, size, mtimeMs, ctimeMs } = lstatSync(path);
    const content = lstatSync(path).isFile() ? readFileSync(path, "base64") : "";
    entries[name] = [mode.toString(8), uid, size, mtimeMs, ctimeMs, content].join(" ");
  }
  return entries;
}

/** The backups that committed pushes have left. */
export function backupsOf({ hostFile }: Stage): string[] {
  const folder = join(dirname(hostFile), ".sync-creds", "backups");
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** How each change of the host has ended, oldest first, as its own journal has it. */
export function changesOf({ hostFile }: Pick<Stage, "hostFile">): string[] {
  const path = join(dirname(hostFile), ".sync-creds", "history");
  const lines = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
  return lines.map((line) => line.split("\t")[2] ?? "");
}

/** The pid of the wrapper that answers now. */
export async function wrapperPid({ wrapperPort }: Stage): Promise<number | undefined> {
  const reply = await fetch(`http://127.0.0.1:${wrapperPort}/health`);
  const { pid } = (await reply.json()) as { pid?: number };
  return pid;
}
