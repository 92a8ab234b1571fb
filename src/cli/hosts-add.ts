import { connect } from "../connect/connect.ts";
import { SyncCredsError, toSyncCredsError } from "../errors.ts";
import { complaintAbout, complaintAboutName, type HostEntry } from "../hosts/complaint.ts";
import { openDraft, parseDraft, saveDraft } from "../hosts/draft.ts";
import { addToHosts } from "../hosts/edit.ts";
import type { Host } from "../hosts/host.ts";
import { renderLine } from "../hosts/json-layout.ts";
import type { HostsContent } from "../hosts/schema.ts";
import { renderError } from "../output/error-message.ts";
import { paintFor } from "../output/terminal.ts";
import type { Human } from "../ports.ts";
import { probe } from "../probe/probe.ts";
import { RemoteHalf } from "../remote/remote-half.ts";
import { loadScript } from "../remote/script.ts";
import { askForPassword } from "../remote/sudo.ts";
import { recipeOf } from "../restart/supervisors.ts";
import { renderHostsResult } from "./hosts-output.ts";
import { answerTo, askForAccount, askForGroup, askForUrl } from "./hosts-questions.ts";
import type { SettingOptions } from "./hosts-questions.ts";
import { askForRestart } from "./hosts-restart.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";
import { listenForInterrupts } from "./interrupts.ts";

/** The options of `hosts add`. */
export interface AddOptions extends LocalOptions, SettingOptions {
  readonly config?: string;
  readonly ssh?: string;
  /** False with `--no-test`. */
  readonly test?: boolean;
}

/** `hosts add`: asks for what the command line leaves open, tries the connection, and writes hosts.json. */
export async function addHost(
  givenName: string | undefined,
  options: AddOptions,
  world: LocalWorld,
): Promise<number> {
  const { ports, terminal } = world;
  const draft = await openDraft(ports, options.config);
  const { name, entry, group } = await askForHost(givenName, options, draft.content, ports.human);
  const groups = group === undefined ? {} : { [group]: [name] };
  const edited = addToHosts(draft.text, { hosts: { [name]: entry }, groups });
  const host = parseDraft(draft, edited).hosts.find((one) => one.name === name);
  if (host === undefined) throw new Error(`${name} is not in the edited file`);

  const file = draft.origin.shownAs;
  if (options.test !== false) {
    const failure = await tryConnection(host, world);
    if (
      failure !== undefined &&
      !(await isWantedNevertheless(failure, file, host, options, world))
    ) {
      terminal.stderr.write("nothing was written\n");
      return failure.exitStatus;
    }
  }
  await saveDraft(draft, edited, ports);
  terminal.stdout.write(
    options.json === true
      ? renderHostsResult(
          0,
          [{ host: name, outcome: "added", entry, ...(group !== undefined && { group }) }],
          { file: draft.origin.path },
        )
      : `added to ${file}: ${JSON.stringify(name)}: ${renderLine(entry)}${group === undefined ? "" : `, in the group ${group}`}\n`,
  );
  if (options.json !== true) terminal.stderr.write(`Look first: \`sync-creds plan ${name}\`\n`);
  return 0;
}

async function askForHost(
  givenName: string | undefined,
  options: AddOptions,
  content: HostsContent,
  human: Human | undefined,
): Promise<{ name: string; entry: HostEntry; group: string | undefined }> {
  const name = await answerTo(
    {
      flag: "NAME",
      message: "What shall the host be called here?",
      complaint: (answer) => complaintAboutName(answer, content),
    },
    givenName,
    human,
  );
  const ssh = await answerTo(
    {
      flag: "--ssh",
      message: "How does ssh reach it? (an alias of ~/.ssh/config, or user@host:port)",
      initial: name,
      complaint: (answer) => complaintAbout({ ssh: answer }, ["ssh"]),
    },
    options.ssh,
    human,
  );
  const runAs = await askForAccount(options, content, human);
  const url = await askForUrl(options, content, human);
  const restart = await askForRestart(options, content, human, true);
  const entry = {
    ssh,
    ...(runAs !== undefined && { runAs }),
    ...(url !== undefined && { wrapper: { url } }),
    ...(restart !== undefined && { restart }),
  };
  return { name, entry, group: await askForGroup(options, content, [name], human) };
}

/** Connects as a push would and looks at the host; nothing is changed there. What it fails with, if it does. */
async function tryConnection(
  host: Host,
  { ports, terminal }: LocalWorld,
): Promise<SyncCredsError | undefined> {
  const tell = (line: string) => void terminal.stderr.write(`${host.name}: ${line}\n`);
  using interrupts = listenForInterrupts(terminal, "the connection is given up");
  const { signal } = interrupts;
  try {
    const session = await connect(host, ports, { notes: tell, signal });
    signal.addEventListener("abort", () => session.close());
    try {
      const half = new RemoteHalf(session, await loadScript(ports.files), ports.randomHex(16), {
        runAs: host.runAs,
        nextPassword: askForPassword(ports, host.name, session),
      });
      const seen = await probe(half, ports.randomHex(8), host, recipeOf(host));
      tell(
        `reached ${session.address}; acts as ${seen.user}, home ${seen.home}; our shell script runs`,
      );
      if (seen.missing.length > 0) tell(`it lacks ${seen.missing.join(", ")}, which a push needs`);
      const { port } = recipeOf(host);
      tell(
        seen.wrapper === undefined
          ? `no wrapper listens on port ${port} now`
          : `a process listens on port ${port}`,
      );
      return undefined;
    } finally {
      session.close();
    }
  } catch (thrown) {
    if (signal.aborted) throw new SyncCredsError("INTERRUPTED", "interrupted: nothing was written");
    const error = toSyncCredsError(thrown);
    if (error.code === "INTERRUPTED") throw error;
    return error;
  }
}

/** Shows why the test failed, and asks. Error: what it failed with, where nobody can be asked. */
async function isWantedNevertheless(
  failure: SyncCredsError,
  file: string,
  { name }: Host,
  { verbose }: AddOptions,
  { ports: { human }, terminal }: LocalWorld,
): Promise<boolean> {
  const { code, message, why, next, cause } = failure;
  if (human === undefined) {
    throw new SyncCredsError(code, message, {
      ...(why !== undefined && { why }),
      next: [...next, "Or add it without a test: `--no-test`"],
      cause,
    });
  }
  const shown = renderError(failure, paintFor(terminal.stderr, terminal.env), verbose === true);
  return await human.confirm(
    `Write ${name} into ${file} nevertheless?`,
    shown.trimEnd().split("\n"),
  );
}
