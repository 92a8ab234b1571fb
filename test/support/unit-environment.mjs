// What a started unit finds in its environment, as with systemd 252.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { listOf, parseEnvFile, splitWords } from "./unit-file.mjs";

/** `Environment=`, over it the env files, under both what the manager gives; `UnsetEnvironment=` has the last word.
    `undefined` when an env file that must be there is not. */
export function environmentOf(settings, isUser) {
  const account = lastOf(settings, "User");
  const manager = isUser
    ? { ...process.env }
    : { LANG: "C.UTF-8", PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
  if (!isUser && account !== undefined) {
    const [name, , , , , directory, shell] = passwordEntry(account);
    Object.assign(manager, { HOME: directory, LOGNAME: name, USER: name, SHELL: shell });
  }
  const variables = new Map(Object.entries({ ...manager, INVOCATION_ID: "0".repeat(32) }));
  for (const word of listOf(settings, "Environment").flatMap(splitWords)) {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word) ?? [];
    if (name !== undefined) variables.set(name, value);
  }
  for (const file of listOf(settings, "EnvironmentFile")) {
    const path = file.replace(/^-/, "");
    if (existsSync(path))
      for (const pair of parseEnvFile(readFileSync(path, "utf8"))) variables.set(...pair);
    else if (!file.startsWith("-")) return undefined;
  }
  for (const word of listOf(settings, "UnsetEnvironment").flatMap(splitWords)) {
    const [, name, value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(word);
    if (value === undefined || variables.get(name) === value) variables.delete(name);
  }
  return Object.fromEntries(variables);
}

/** The account of a unit of the system, as `spawn` wants it. */
export function accountOf(settings, isUser) {
  const name = lastOf(settings, "User");
  if (isUser || name === undefined) return {};
  const [, , uid, gid] = passwordEntry(name);
  return { uid: Number(uid), gid: Number(gid) };
}

function passwordEntry(name) {
  return execFileSync("getent", ["passwd", name], { encoding: "utf8" }).trim().split(":");
}

/** A setting of which the last one counts. */
export function lastOf(settings, wanted) {
  return settings.findLast(([name]) => name === wanted)?.[1];
}
