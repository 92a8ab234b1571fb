// What a started unit finds in its environment, as with systemd 252.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { listOf, parseEnvFile, splitWords } from "./unit-file.mjs";

/** `Environment=`, over it the env files, under both what the manager gives; `UnsetEnvironment=` has the last word.
    `ofUser` is the environment of a user's manager. `undefined` when an env file that must be there is not. */
export function environmentOf(settings, ofUser) {
  const given = { ...(ofUser ?? environmentOfSystem(settings)), INVOCATION_ID: "0".repeat(32) };
  const variables = new Map(Object.entries(given));
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

function environmentOfSystem(settings) {
  const own = {
    LANG: "C.UTF-8",
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
  const account = lastOf(settings, "User");
  if (account === undefined) return own;
  const [name, , , , , directory, shell] = passwordEntry(account);
  return { ...own, HOME: directory, LOGNAME: name, USER: name, SHELL: shell };
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
