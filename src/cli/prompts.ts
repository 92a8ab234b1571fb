import { SyncCredsError } from "../errors.ts";
import type { Stream } from "../output/terminal.ts";
import type { Human } from "../ports.ts";
import { Secret } from "../secret.ts";

/** Called around each question, so that nothing else draws meanwhile. */
export interface Stage {
  clear(): void;
  restore(): Promise<void>;
}

/**
 * The person at the terminal: questions are asked one at a time, on stderr, by inquirer, which is loaded when the first
 * one comes up. Error: `INTERRUPTED` when the person answers with Ctrl-C.
 */
export function openHuman(output: Stream, stage: Stage): Human {
  let last: Promise<unknown> = Promise.resolve();
  const ask = (question: Question, details: readonly string[] = []): Promise<unknown> => {
    const answer = last.then(async () => {
      stage.clear();
      try {
        for (const line of details) output.write(`${line}\n`);
        return await prompt(output, question);
      } finally {
        await stage.restore();
      }
    });
    last = answer.catch(() => {});
    return answer;
  };
  return {
    confirm: async (message, details) =>
      (await ask({ type: "confirm", message, default: false }, details)) === true,
    password: async (message) => new Secret(String(await ask({ type: "password", message, mask: false }))),
    choose: async (message, choices) => {
      const answer = await ask({ type: "checkbox", message, choices: [...choices], required: true });
      return Array.isArray(answer) ? answer.map(String) : [];
    },
  };
}

interface Question {
  readonly type: "confirm" | "password" | "checkbox";
  readonly message: string;
  readonly [option: string]: unknown;
}

async function prompt(output: Stream, question: Question): Promise<unknown> {
  const { createPromptModule } = await import("inquirer");
  try {
    // Its types want each kind of question spelled out; ours differ by their options only.
    const answers: Record<string, unknown> = await createPromptModule({ output })([
      { ...question, name: "answer" } as never,
    ]);
    return answers["answer"];
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown.name !== "ExitPromptError") throw thrown;
    throw new SyncCredsError("INTERRUPTED", "interrupted at a question", { cause: thrown });
  }
}
