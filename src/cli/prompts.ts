import type inquirer from "inquirer";
import { SyncCredsError } from "../errors.ts";
import type { Stream } from "../output/terminal.ts";
import type { Human } from "../ports.ts";
import { Secret } from "../secret.ts";
import { readHiddenPaste } from "./hidden-input.ts";

/** Called around each question, so that nothing else draws meanwhile. */
export interface Stage {
  clear(): void;
  restore(): Promise<void>;
}

/** What the questions of a run are part of. */
export interface Asking {
  /** Aborted when no answer is wanted any more: an open question vanishes, others are not asked. */
  readonly signal: AbortSignal;
  /** Told of a Ctrl-C at a question, which the terminal does not make a signal of. */
  readonly onInterrupt: () => void;
}

/**
 * The person at the terminal: questions are asked one at a time, on stderr, by inquirer, which is loaded when the first
 * one comes up. Error: `INTERRUPTED` when the person answers with Ctrl-C, or `asking` is over.
 */
export function openHuman(output: Stream, stage: Stage, asking?: Asking): Human {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(question: (ask: Ask) => Promise<{ answer: T }>): Promise<T> => {
    const answer = last.then(async () => {
      if (asking?.signal.aborted) throw interruptedBy(asking.signal.reason);
      stage.clear();
      try {
        const { createPromptModule } = await import("inquirer");
        return (
          await question(createPromptModule({ output, ...(asking && { signal: asking.signal }) }))
        ).answer;
      } catch (thrown) {
        if (isExit(thrown)) asking?.onInterrupt();
        throw isExit(thrown) || isAbort(thrown) ? interruptedBy(thrown) : thrown;
      } finally {
        await stage.restore();
      }
    });
    last = answer.catch(() => {});
    return answer;
  };
  return {
    confirm: (message, details = []) =>
      inTurn<boolean>((ask) => {
        for (const line of details) output.write(`${line}\n`);
        return ask([{ type: "confirm", name: "answer", message, default: false }]);
      }),
    password: async (message, { manyLines = false } = {}) =>
      new Secret(
        await inTurn<string>(async (ask) =>
          manyLines
            ? { answer: await readHiddenPaste(message, output) }
            : await ask([{ type: "password", name: "answer", message, mask: false }]),
        ),
      ),
    choose: (message, choices) =>
      inTurn<readonly string[]>((ask) =>
        ask([{ type: "checkbox", name: "answer", message, choices: [...choices], required: true }]),
      ),
    pick: (message, choices) =>
      inTurn<string>((ask) =>
        ask([{ type: "select", name: "answer", message, choices: [...choices] }]),
      ),
    text: (message, { initial, complaint } = {}) =>
      inTurn<string>((ask) =>
        ask([
          {
            type: "input",
            name: "answer",
            message,
            ...(initial === undefined ? {} : { default: initial }),
            validate: (answer: string) => complaint?.(answer) ?? true,
          },
        ]),
      ),
  };
}

type Ask = typeof inquirer.prompt;

function isExit(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "ExitPromptError";
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortPromptError";
}

function interruptedBy(cause: unknown): SyncCredsError {
  return new SyncCredsError("INTERRUPTED", "interrupted at a question", { cause });
}
