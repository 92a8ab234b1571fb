// A compose project as `docker compose` v2 sees it: files merged, `${…}` filled in, env files resolved.
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
// The package comes with knip and vite.
import { parse } from "yaml";
import { Refusal } from "./containers.mjs";
import { complain } from "./stand-in.mjs";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
const OVERRIDES = [
  "compose.override.yaml",
  "compose.override.yml",
  "docker-compose.override.yaml",
  "docker-compose.override.yml",
];

/** The project in `cwd`, or of `files` (`-f`): its name, its folder, and its services with their final `environment`. */
export function loadProject({ cwd, files, folder, name, env }) {
  const paths = files.length > 0 ? files.map((file) => resolve(cwd, file)) : findFiles(cwd);
  const directory = folder ?? dirname(paths[0]);
  const dotEnv = join(directory, ".env");
  // `.env` fills in `${…}`; it is no environment of a container, and the shell wins over it.
  const variables = {
    ...(existsSync(dotEnv) ? parseEnv(readFileSync(dotEnv, "utf8")) : {}),
    ...env,
  };
  for (const path of paths) {
    if (!existsSync(path)) throw new Refusal(`open ${path}: no such file or directory`);
  }
  const models = paths.map((path) => fillIn(parse(readFileSync(path, "utf8")), variables));
  const [first, ...others] = models;
  const merged = others.reduce(mergeModels, first);
  const project =
    name ?? variables.COMPOSE_PROJECT_NAME ?? merged.name ?? basename(directory).toLowerCase();
  const services = Object.entries(merged.services ?? {}).map(([service, model]) => [
    service,
    resolveService(model, directory, variables),
  ]);
  return { name: project, directory, files: paths, services: Object.fromEntries(services) };
}

function findFiles(cwd) {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const found = NAMES.find((file) => existsSync(join(folder, file)));
    if (found !== undefined) {
      const override = OVERRIDES.find((file) => existsSync(join(folder, file)));
      return [found, override]
        .filter((file) => file !== undefined)
        .map((file) => join(folder, file));
    }
    if (folder === dirname(folder))
      throw new Refusal("no configuration file provided: not found", 14);
  }
}

function fillIn(model, variables) {
  if (Array.isArray(model)) return model.map((item) => fillIn(item, variables));
  if (typeof model === "object" && model !== null) {
    return Object.fromEntries(
      Object.entries(model).map(([key, value]) => [key, fillIn(value, variables)]),
    );
  }
  if (typeof model !== "string") return model;
  return model.replace(
    /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(:?[-?+])?([^}]*)\})/g,
    (...found) => {
      const [, dollar, bare, braced, rule, rest] = found;
      if (dollar) return "$";
      const value = variables[bare ?? braced];
      const isThere = value !== undefined && (value !== "" || !rule?.startsWith(":"));
      if (rule?.endsWith("+")) return isThere ? rest : "";
      if (isThere) return value;
      if (rule?.endsWith("-")) return rest;
      if (rule?.endsWith("?"))
        throw new Refusal(`required variable ${braced} is missing a value: ${rest}`);
      complain(
        `time="2026-01-01T00:00:00Z" level=warning msg="The \\"${bare ?? braced}\\" variable is not set. Defaulting to a blank string."`,
      );
      return "";
    },
  );
}

function mergeModels(lower, upper) {
  const services = { ...lower.services };
  for (const [name, service] of Object.entries(upper.services ?? {})) {
    const below = services[name] ?? {};
    const environment = { ...pairsOf(below.environment), ...pairsOf(service.environment) };
    const env_file = [below.env_file ?? [], service.env_file ?? []].flat();
    services[name] = { ...below, ...service, environment, env_file };
  }
  return { ...lower, ...upper, services };
}

function resolveService({ env_file: envFiles = [], ...service }, directory, variables) {
  const environment = {};
  for (const entry of [envFiles].flat()) {
    const { path, required = true } = typeof entry === "string" ? { path: entry } : entry;
    const file = resolve(directory, path);
    if (existsSync(file)) Object.assign(environment, parseEnv(readFileSync(file, "utf8")));
    else if (required) {
      throw new Refusal(`env file ${file} not found: stat ${file}: no such file or directory`);
    }
  }
  for (const [name, value] of Object.entries(pairsOf(service.environment))) {
    // A name alone takes its value from where compose runs.
    const given = value ?? variables[name];
    if (given === undefined) delete environment[name];
    else environment[name] = String(given);
  }
  return { ...service, environment };
}

/** `environment:` as a map, also where it is a list of `NAME=value`; a name alone has the value `null`. */
function pairsOf(environment = {}) {
  if (!Array.isArray(environment)) return environment;
  return Object.fromEntries(
    environment.map((item) => {
      const at = item.indexOf("=");
      return at < 0 ? [item, null] : [item.slice(0, at), item.slice(at + 1)];
    }),
  );
}
