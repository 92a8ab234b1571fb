import type { Ports } from "../ports.ts";
import { forget, inTurn, oncePerRun } from "../once-per-run.ts";
import type { LoginPerson } from "../remote/open-session.ts";
import { printable } from "../remote/printable.ts";
import { Secret } from "../secret.ts";
import { nameOf, titleOf } from "./host-key.ts";
import type { Route } from "./route.ts";

/** How PAM and sshd ask for a password, as opposed to a code that is good for one time. */
const ASKS_FOR_PASSWORD = /^\s*(?:\S+'s )?password\b[^?]*:?\s*$/i;

/**
 * The person at the terminal, for one login. A password is asked for once per run and account, and lives in memory only; a
 * one-time code is asked for each time. `undefined` when there is nobody to ask.
 */
export function personFor(route: Route, ports: Ports): LoginPerson | undefined {
  const { human } = ports;
  if (human === undefined) return undefined;
  const title = titleOf(route);
  const name = nameOf(route);

  const answers = new Answers(ports);
  const password = (): Promise<Secret> =>
    answers.get(`password of ${title}`, (isAgain) =>
      inTurn(ports, () =>
        human.password(`${isAgain ? "That was refused. " : ""}Password of ${name}`),
      ),
    );

  return {
    password,
    async answer({ instructions, prompts }) {
      const [only] = prompts;
      if (prompts.length === 1 && only && !only.isEchoed && ASKS_FOR_PASSWORD.test(only.text)) {
        return [await password()];
      }
      return inTurn(ports, async () => {
        const given: Secret[] = [];
        for (const { text, isEchoed } of prompts) {
          const told = printable(`${instructions} ${text}`).trim();
          const question = `${name}: ${told}`;
          given.push(
            isEchoed ? new Secret(await human.text(question)) : await human.password(question),
          );
        }
        return given;
      });
    },
  };
}

/** Answers of one login that later connections of the run may give again. */
export class Answers {
  readonly #ports: Ports;
  readonly #given = new Map<string, Promise<Secret>>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The answer of this run, else a new one. What this login has given before under `key` was no good, then. */
  async get(key: string, ask: (isAgain: boolean) => Promise<Secret>): Promise<Secret> {
    const refused = this.#given.get(key);
    if (refused !== undefined) forget(this.#ports, key, refused);
    const answer = oncePerRun(this.#ports, key, () => ask(refused !== undefined));
    this.#given.set(key, answer);
    return await answer;
  }
}
