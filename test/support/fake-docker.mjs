// A docker for a host that has none: a container is a process of this machine, with only the environment that its
// image and compose would give it; a published port is one that the process listens on. `docker.ts` installs it as
// `docker` in a folder of its own, where it keeps what it knows:
//     containers.json, ID.log    the containers, for whoever clears up; what each has printed
//     fail                       how many of the next starts fail
//     denied                     when there: nobody may talk to the daemon
//     calls                      every call
//
//   docker compose [-f FILE] [-p NAME] [--project-directory DIR]
//          up -d [--force-recreate] [SERVICE…] · restart · stop · ps [-a] [-q] · config [--format json] [--services] · logs [--tail N]
//   docker inspect [-f FORMAT] NAME… · restart · start · stop · logs [--tail N] NAME · ps [-q]
//
// A container keeps the environment that it was created with: `restart` reads nothing again; `up -d` creates it anew
// when its configuration, env files included, has changed, and `--force-recreate` always.
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { loadProject } from "./compose.mjs";
import {
  Refusal,
  ask,
  containers,
  fill,
  inspect,
  isUp,
  printLog,
  start,
  stop,
} from "./containers.mjs";
import { call, complain, end, here, print, serve } from "./stand-in.mjs";

serve(async () => {
  const { words } = call();
  appendFileSync(join(here, "calls"), `${words.join(" ")}\n`);
  try {
    if (words[0] === "compose") await compose(words.slice(1));
    else
      await docker(
        words[0],
        parseWords(words.slice(1), ["-f", "--format", "--tail", "-n", "-t", "--time", "--filter"]),
      );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    end(error.status, error.message);
  }
});

async function compose(all) {
  const valued = ["-f", "--file", "-p", "--project-name", "--project-directory", "--env-file"];
  const at = all.findIndex(
    (word, index) => !word.startsWith("-") && !valued.includes(all[index - 1]),
  );
  const global = parseWords(all.slice(0, at), valued);
  const { flags, names } = parseWords(all.slice(at + 1), [
    "--format",
    "--tail",
    "-n",
    "-t",
    "--timeout",
  ]);
  const { cwd, env } = call();
  const folder = global.flags.get("--project-directory")?.[0];
  const project = loadProject({
    cwd,
    files: [...(global.flags.get("-f") ?? []), ...(global.flags.get("--file") ?? [])],
    folder: folder === undefined ? undefined : resolve(cwd, folder),
    name: (global.flags.get("-p") ?? global.flags.get("--project-name"))?.[0],
    env,
  });
  for (const name of names) {
    if (!(name in project.services)) throw new Refusal(`no such service: ${name}`);
  }
  const services = names.length > 0 ? names : Object.keys(project.services);
  const own = containers.filter(
    ({ labels }) =>
      labels["com.docker.compose.project"] === project.name &&
      services.includes(labels["com.docker.compose.service"]),
  );
  switch (all[at]) {
    case "config":
      if (flags.has("--services")) return print(services.join("\n"));
      return print(renderConfig(project, flags));
    case "ps": {
      ask();
      const isAll = flags.has("-a") || flags.has("--all");
      return own
        .filter(({ pid }) => isAll || isUp(pid))
        .forEach((one) => print(flags.has("-q") || flags.has("--quiet") ? one.id : lineOf(one)));
    }
    case "logs":
      return own.forEach((one) => printLog(one, flags));
    case "up":
      ask();
      for (const service of services) await up(project, service, flags.has("--force-recreate"));
      return;
    case "restart":
    case "stop":
      ask();
      for (const one of own) {
        await stop(one);
        if (all[at] === "restart") start(one);
        complain(` Container ${one.name}  ${all[at] === "restart" ? "Started" : "Stopped"}`);
      }
      return;
    default:
      throw new Refusal(`unknown docker command: "compose ${all[at]}"`);
  }
}

async function up(project, service, isForced) {
  const model = project.services[service];
  const name = model.container_name ?? `${project.name}-${service}-1`;
  const hash = createHash("sha256").update(JSON.stringify(model)).digest("hex");
  const old = containers.find((one) => one.name === name);
  if (old !== undefined && !isForced && old.labels["com.docker.compose.config-hash"] === hash) {
    if (!isUp(old.pid)) start(old);
    return complain(` Container ${name}  ${isUp(old.pid) ? "Running" : "Started"}`);
  }
  if (old !== undefined) {
    await stop(old);
    containers.splice(containers.indexOf(old), 1);
    complain(` Container ${name}  Recreated`);
  }
  const id = randomBytes(32).toString("hex");
  const labels = {
    "com.docker.compose.config-hash": hash,
    "com.docker.compose.project": project.name,
    "com.docker.compose.project.config_files": project.files.join(","),
    "com.docker.compose.project.working_dir": project.directory,
    "com.docker.compose.service": service,
  };
  // What an image brings: nothing of the host's.
  const image = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOSTNAME: id.slice(0, 12),
    HOME: "/root",
  };
  const command = [model.entrypoint ?? [], model.command ?? []].flatMap((part) =>
    typeof part === "string" ? ["sh", "-c", `exec ${part}`] : part,
  );
  const one = {
    id,
    name,
    labels,
    command,
    image: model.image ?? "",
    cwd: model.working_dir ?? "/",
    env: { ...image, ...model.environment },
  };
  containers.push(one);
  start(one);
  complain(` Container ${name}  Started`);
}

async function docker(verb, { flags, names }) {
  ask();
  if (verb === "ps") {
    const running = containers.filter(({ pid }) => isUp(pid));
    return running.forEach((one) => print(flags.has("-q") ? one.id.slice(0, 12) : lineOf(one)));
  }
  if (!["inspect", "restart", "start", "stop", "logs"].includes(verb)) {
    throw new Refusal(`docker: unknown command: docker ${verb}`);
  }
  const inspected = [];
  for (const name of names) {
    const one = containers.find(
      (known) => known.name === name || (name.length >= 4 && known.id.startsWith(name)),
    );
    if (one === undefined) {
      if (verb === "inspect" && !flags.has("-f") && !flags.has("--format")) print("[]");
      throw new Refusal(
        verb === "inspect"
          ? `error: no such object: ${name}`
          : `Error response from daemon: No such container: ${name}`,
      );
    }
    if (verb === "logs") printLog(one, flags);
    else if (verb === "inspect") inspected.push(inspect(one));
    else {
      if (verb !== "start") await stop(one);
      if (verb !== "stop" && !isUp(one.pid)) start(one);
      print(name);
    }
  }
  if (verb !== "inspect") return;
  const [format] = flags.get("-f") ?? flags.get("--format") ?? [];
  if (format === undefined) print(JSON.stringify(inspected, null, 4));
  else for (const object of inspected) print(fill(format, object));
}

function renderConfig({ name, services }, flags) {
  const escaped = JSON.parse(JSON.stringify({ name, services }).replaceAll("$", "$$$$"));
  return flags.get("--format")?.[0] === "json"
    ? JSON.stringify(escaped, null, 2)
    : stringify(escaped).trimEnd();
}

function lineOf({ id, image, name }) {
  return [id.slice(0, 12), image, name].join("   ");
}

/** Flags (those of `valued` take the next word) and what is left. */
function parseWords(all, valued) {
  const flags = new Map();
  const names = [];
  for (let at = 0; at < all.length; at++) {
    const [, flag, value] = /^(--?[\w-]+)(?:=(.*))?$/s.exec(all[at]) ?? [];
    if (flag === undefined) names.push(all[at]);
    else
      flags.set(flag, [
        ...(flags.get(flag) ?? []),
        value ?? (valued.includes(flag) ? all[++at] : ""),
      ]);
  }
  return { flags, names };
}
