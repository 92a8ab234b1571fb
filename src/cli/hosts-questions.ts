import { SyncCredsError } from "../errors.ts";
import { complaintAbout, complaintAboutName } from "../hosts/complaint.ts";
import type { HostsContent } from "../hosts/schema.ts";
import type { Human } from "../ports.ts";

/** What may be said on the command line about each new host. */
export interface SettingOptions {
  readonly runAs?: string;
  readonly url?: string;
  readonly group?: string;
  readonly restart?: string;
  readonly unit?: string;
  readonly scope?: string;
  readonly container?: string;
  readonly service?: string;
  readonly app?: string;
  readonly program?: string;
  readonly supervisorConfig?: string;
  readonly label?: string;
  readonly directory?: string;
  readonly command?: string;
  readonly status?: string;
  readonly log?: string;
}

/** Something that must be known about a new host. */
export interface Question {
  /** Answers it on the command line. */
  readonly flag: string;
  readonly message: string;
  /** Taken where nobody can be asked, and when the person only presses Enter. */
  readonly initial?: string;
  readonly complaint: (answer: string) => string | undefined;
}

const USUAL_URL = "http://127.0.0.1:8000";

/**
 * The answer given on the command line, else the person's, else the usual one. Errors: `USAGE` when the answer given will
 * not do, `INPUT_NEEDED` when there is none.
 */
export async function answerTo(
  { flag, message, initial, complaint }: Question,
  given: string | undefined,
  human: Human | undefined,
): Promise<string> {
  if (given !== undefined) {
    const wrong = complaint(given);
    if (wrong === undefined) return given;
    throw new SyncCredsError("USAGE", `\`${flag}\` cannot be used: ${wrong}`, {
      next: ["Correct it; hosts.json was not touched"],
    });
  }
  if (human !== undefined) {
    return await human.text(message, { complaint, ...(initial !== undefined && { initial }) });
  }
  if (initial !== undefined) return initial;
  throw inputNeeded(flag);
}

/** The address of the wrapper; `undefined` where `defaults` says it. */
export async function askForUrl(
  { url }: SettingOptions,
  { defaults }: HostsContent,
  human: Human | undefined,
): Promise<string | undefined> {
  if (url === undefined && defaults?.wrapper?.url !== undefined) return undefined;
  const question = {
    flag: "--url",
    message: "Where does the wrapper answer, as the host itself sees it?",
    initial: USUAL_URL,
    complaint: (answer: string) => complaintAbout({ wrapper: { url: answer } }, ["wrapper", "url"]),
  };
  return await answerTo(question, url, human);
}

/** The account of the wrapper; `undefined` where it is the login itself, or `defaults` says it. */
export async function askForAccount(
  { runAs }: SettingOptions,
  { defaults }: HostsContent,
  human: Human | undefined,
): Promise<string | undefined> {
  if (runAs === undefined && defaults?.runAs !== undefined) return undefined;
  const answer = await answerTo(
    {
      flag: "--run-as",
      message: "Does the wrapper run as another account? (empty: no)",
      initial: "",
      complaint: (account) =>
        account === "" && runAs === undefined
          ? undefined
          : complaintAbout({ runAs: account }, ["runAs"]),
    },
    runAs,
    human,
  );
  return answer === "" ? undefined : answer;
}

/** A group for the new host; `undefined` for none. */
export async function askForGroup(
  { group }: SettingOptions,
  content: HostsContent,
  newHosts: readonly string[],
  human: Human | undefined,
): Promise<string | undefined> {
  const { groups = {} } = content;
  const known = Object.keys(groups);
  const answer = await answerTo(
    {
      flag: "--group",
      message: `To which group does it belong? (${known.length === 0 ? "" : `${known.join(", ")}; `}empty: none)`,
      initial: "",
      complaint: (name) => {
        if (known.includes(name) || (name === "" && group === undefined)) return undefined;
        if (newHosts.includes(name)) return `\`${name}\` is the name of a host`;
        return complaintAboutName(name, content, "group");
      },
    },
    group,
    human,
  );
  return answer === "" ? undefined : answer;
}

/** Without a terminal nobody can be asked. */
export function inputNeeded(flag: string, otherwise?: string): SyncCredsError {
  return new SyncCredsError("INPUT_NEEDED", `\`${flag}\` is missing`, {
    why: "without a terminal nobody can be asked",
    next: [
      flag.startsWith("--")
        ? `Say it on the command line: \`${flag} …\``
        : `Say it on the command line: \`sync-creds hosts add ${flag}\``,
      ...(otherwise === undefined ? [] : [otherwise]),
    ],
  });
}
