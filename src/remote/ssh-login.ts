import type { AnyAuthMethod, AuthenticationType, NextAuthHandler, Prompt } from "ssh2";
import type { KeyOffer, LoginPerson, OpenOptions } from "./open-session.ts";
import { OneKeyAgent } from "./ssh-agent.ts";
import type { Progress } from "./ssh-failures.ts";

/** As OpenSSH's `NumberOfPasswordPrompts`. */
const ROUNDS = 3;

/** What the login tells the connection that it belongs to. */
export interface LoginEvents {
  /** A person is asked: no clock of ours may run meanwhile. */
  waiting(): void;
  answered(): void;
  /** The person broke off. */
  failed(error: unknown): void;
}

/**
 * ssh2's handler of authentication: one way to log in after the other, in the user's order, as long as the host takes
 * it. Never asks the host for its methods first (`none`), which would cost a round trip.
 */
export function loginInOrder(options: OpenOptions, progress: Progress, events: LoginEvents) {
  const { user: username, offers, methods, person } = options;
  const keys = [...offers];
  const rounds = { "keyboard-interactive": 0, password: 0 };
  const asked = new PersonOnHold(person, events);

  return (
    taken: AuthenticationType[] | null,
    isPartial: boolean | null,
    next: NextAuthHandler,
  ): AnyAuthMethod | false | undefined => {
    progress.methodsLeft = taken ?? [];
    progress.isPartial = isPartial === true;
    for (const method of methods) {
      // The host has not said yet what it takes: what it does not take costs one refusal.
      if (taken !== null && taken.length > 0 && !taken.includes(method)) continue;
      if (method === "publickey") {
        const offer = keys.shift();
        if (offer === undefined) continue;
        options.onOffer?.(offer);
        return asAttempt(username, offer);
      } else if (person !== undefined && rounds[method] < ROUNDS) {
        rounds[method]++;
        if (method === "keyboard-interactive") return asked.keyboard(username);
        // Whoever was asked by keyboard-interactive has given the password already.
        if (asked.hasAnswered && isPartial !== true) continue;
        asked.password(username, next);
        return undefined;
      }
    }
    return false;
  };
}

function asAttempt(username: string, { key, agentSocket }: KeyOffer): AnyAuthMethod {
  return agentSocket === undefined
    ? { type: "publickey", username, key }
    : { type: "agent", username, agent: new OneKeyAgent(agentSocket, key) };
}

/** The person, with the clocks stopped while they think. */
class PersonOnHold {
  hasAnswered = false;
  readonly #person: LoginPerson | undefined;
  readonly #events: LoginEvents;

  constructor(person: LoginPerson | undefined, events: LoginEvents) {
    this.#person = person;
    this.#events = events;
  }

  keyboard(username: string): AnyAuthMethod {
    return {
      type: "keyboard-interactive",
      username,
      prompt: (name, instructions, _language, prompts: Prompt[], finish) => {
        const questions = {
          instructions: [name, instructions].filter((text) => text !== "").join(": "),
          prompts: prompts.map(({ prompt, echo }) => ({ text: prompt, isEchoed: echo === true })),
        };
        this.#hold(async (person) => {
          const answers = await person.answer(questions);
          this.hasAnswered = true;
          finish(answers.map((answer) => answer.reveal()));
        });
      },
    };
  }

  password(username: string, next: NextAuthHandler): void {
    this.#hold(async (person) => {
      const password = await person.password();
      next({ type: "password", username, password: password.reveal() });
    });
  }

  #hold(ask: (person: LoginPerson) => Promise<void>): void {
    if (this.#person === undefined) return;
    this.#events.waiting();
    ask(this.#person).then(
      () => this.#events.answered(),
      (error: unknown) => this.#events.failed(error),
    );
  }
}
