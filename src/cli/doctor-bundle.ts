import { arch, hostname, release, type } from "node:os";
import { parseCredentials } from "../credentials/parse.ts";
import type { Credentials } from "../credentials/parse.ts";
import { renderBundle } from "../doctor/bundle.ts";
import type { ExaminedHost } from "../doctor/host.ts";
import type { Laptop } from "../doctor/laptop.ts";
import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { errorCodeOf, toAbsolutePath } from "../hosts/local-path.ts";
import { sanitize } from "../output/sanitize.ts";
import { packageFile } from "../package-root.ts";
import type { Ports } from "../ports.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { Secret } from "../secret.ts";

/** What was found, and what must not leave with it. */
export interface Findings {
  readonly laptop: Laptop;
  readonly examined: readonly ExaminedHost[];
  readonly hosts: readonly Host[];
  readonly bearers: readonly Secret[];
}

/** Nothing is overwritten: said before anything is looked at. Error: `USAGE`. */
export async function verifyNew(path: string, ports: Ports): Promise<void> {
  if (await ports.files.exists(toAbsolutePath(path, ports.cwd, ports))) throw exists(path);
}

/** Writes the report to a new file of mode 0600. Error: `USAGE` when there is one, or none can be made. */
export async function writeBundle(path: string, findings: Findings, ports: Ports): Promise<void> {
  const { laptop, examined, hosts, bearers } = findings;
  const reports = examined.flatMap(({ seen }) => (seen === undefined ? [] : [seen]));
  const text = renderBundle({
    versions: await findVersions(ports),
    laptop,
    examined,
    hosts,
    names: {
      hosts,
      homes: [
        ports.home,
        ...reports.flatMap(({ report, inspection: { wrapperHome = "" } }) => [
          report.home,
          wrapperHome,
        ]),
      ],
      others: [
        ports.userName,
        hostname(),
        ...reports.map(({ report }) => report.user),
        ...hosts.map(({ runAs = "" }) => runAs),
      ],
      secrets: [
        ...bearers,
        ...tokensIn(laptop.located?.credentials),
        ...reports.flatMap(({ report }) => secretsOf(report)),
      ],
    },
  });
  try {
    await ports.files.create(toAbsolutePath(path, ports.cwd, ports), Buffer.from(text));
  } catch (error) {
    if (errorCodeOf(error) === "EEXIST") throw exists(path);
    throw new SyncCredsError("USAGE", `${path} cannot be written`, {
      why: `the system said ${errorCodeOf(error)}`,
      next: ["Name a file in a folder that is there and that you may write to"],
      cause: error,
    });
  }
}

function exists(path: string): SyncCredsError {
  return new SyncCredsError("USAGE", `${path} is there already`, {
    why: "a report never overwrites anything",
    next: ["Name another file, or move that one away"],
  });
}

function secretsOf({ file, files }: ProbeReport): Secret[] {
  const own = [...files].flatMap(([name, { bytes }]) => (OWN.test(name) && bytes ? [bytes] : []));
  return [...(file === undefined ? [] : tokensIn(parseCredentials(file))), ...valuesIn(own)];
}

/** The files of ours whose content is a token or key. */
const OWN = /\/\.sync-creds\/(?:wrapper\.env|api-key)$/;

function valuesIn(files: readonly Buffer[]): Secret[] {
  const words = files.flatMap((bytes) => bytes.toString("utf8").split(/[\s=]+/));
  return words.filter((word) => word.length >= 8).map((word) => new Secret(word));
}

function tokensIn(credentials: Credentials | undefined): Secret[] {
  if (credentials?.kind !== "login") return [];
  const { accessToken, refreshToken } = credentials.login;
  return [accessToken, refreshToken].filter((token) => token !== undefined);
}

async function findVersions(ports: Ports): Promise<Record<string, string>> {
  const { bytes } = await ports.files.read(packageFile("package.json"));
  const manifest: { version: string } = JSON.parse(bytes.toString("utf8"));
  const say = (program: string, ...argv: string[]) =>
    ports.run(program, argv, { timeoutMs: 10_000 }).then(
      ({ stdout, stderr }) => sanitize(`${stdout} ${stderr}`, { maxLength: 100 }),
      (error: unknown) => `none (${errorCodeOf(error)})`,
    );
  return {
    "sync-creds": manifest.version,
    node: process.version,
    system: `${type()} ${release()} ${arch()}`,
    ssh: await say("ssh", "-V"),
    "claude here": await say("claude", "--version"),
  };
}
