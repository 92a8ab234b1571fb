import { EOL } from "node:os";
import { DefaultRenderer, Listr, ListrLogger, ProcessOutput } from "listr2";
import type { ListrDefaultRendererLogLevels } from "listr2";
import type { RunEvent } from "../outcome.ts";
import { chooseLines, renderProgress } from "./live-lines.ts";
import type { LiveState } from "./live-lines.ts";
import { renderEnding, STEP_LABEL } from "./view.ts";
import type { View } from "./view.ts";

/**
 * A live line for each host, or for as many as fit the terminal, and one for all. listr2 only draws: each of its tasks waits for the host's result, and its errors are thrown
 * for the mark in front of the line alone.
 */
export function openTaskList(hosts: readonly string[], stream: NodeJS.WriteStream): View {
  const lines = new Map(hosts.map((host) => [host, new Line(host)]));
  const states = [...lines.values()];
  const renderer: { current?: PausableRenderer } = {};
  let changes = 0;
  class Renderer extends PausableRenderer {
    constructor(...parameters: ConstructorParameters<typeof DefaultRenderer>) {
      super(...parameters);
      renderer.current = this;
    }

    protected override fit(drawn: readonly string[]): readonly string[] {
      const progress = renderProgress(states);
      const below = progress === undefined ? [] : [progress];
      // One row is the cursor's.
      const chosen = chooseLines(states, (stream.rows || 24) - below.length - 1);
      return [...chosen.map((index) => drawn[index] ?? ""), ...below];
    }
  }
  const list = new Listr(
    states.map((line) => ({
      title: line.host,
      task: (_context, task) => line.attach(task),
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: Renderer,
      rendererOptions: {
        formatOutput: "truncate",
        logger: new ListrLogger<ListrDefaultRendererLogLevels>({
          processOutput: new ProcessOutput(stream, stream),
        }),
      },
    },
  );
  const drawn = list.run();
  return {
    show(event) {
      changes += 1;
      if (event.type === "step") lines.get(event.host)?.begin(STEP_LABEL[event.step], changes);
      else if (event.type === "host") lines.get(event.result.host)?.end(event, changes);
      else stream.write(`${event.host === undefined ? "" : `${event.host}: `}${event.text}\n`);
    },
    pause: () => renderer.current?.pause(),
    resume: async () => renderer.current?.resume(),
    async close() {
      for (const line of lines.values()) line.release();
      await drawn;
      stream.write((await renderer.current?.finish()) ?? "");
    },
  };
}

/**
 * listr2's own renderer, with a rest: nothing is drawn between `pause` and `resume`. Its spinner alone asks for a new drawing:
 * with hundreds of hosts one for every event would be work for nobody's eyes.
 */
abstract class PausableRenderer extends DefaultRenderer {
  // listr2 asks stdout whether there is a terminal; what it draws goes to stderr, which we have asked.
  static override nonTTY: boolean = true;

  #resting = false;
  #isDrawing = false;
  #drawnAt = 0;
  #isOver = false;
  #resuming: Promise<void> | undefined;

  pause(): void {
    this.#resting = true;
    if (this.#isDrawing) super.end();
    this.#isDrawing = false;
  }

  async resume(): Promise<void> {
    if (!this.#resting || this.#isOver) return;
    this.#resting = false;
    await (this.#resuming = this.render());
  }

  /** The last state of all lines, if a question has kept it from being shown. */
  async finish(): Promise<string> {
    await this.#resuming;
    if (!this.#resting) return "";
    this.#resting = false;
    return `${this.create({ prompt: false })}\n`;
  }

  override async render(): Promise<void> {
    await super.render();
    this.#isDrawing = true;
    if (this.#resting) this.pause();
    // All may have come to an end meanwhile: what draws now would never stop.
    if (this.#isOver) super.end();
  }

  override end(): void {
    this.#isOver = true;
    if (this.#isDrawing) super.end();
    this.#isDrawing = false;
  }

  override update(): void {
    const now = performance.now();
    if (!this.#isDrawing || this.#resting || now - this.#drawnAt < SHORTEST_MS) return;
    this.#drawnAt = now;
    super.update();
  }

  /** Which of the lines are shown, one for each host in their order. */
  protected abstract fit(drawn: readonly string[]): readonly string[];

  // What was drawn so far vanishes for the time of a question.
  override create(options?: Parameters<DefaultRenderer["create"]>[0]): string {
    return this.#resting ? "" : this.fit(super.create(options).split(EOL)).join(EOL);
  }
}

const SHORTEST_MS = 50;

class Line implements LiveState {
  readonly host: string;
  phase: LiveState["phase"] = "waiting";
  lastChange = 0;
  #task: { title: unknown } | undefined;
  #text = "waiting";
  #finish: (failure?: Error) => void = () => {};
  readonly #finished: Promise<void>;

  constructor(host: string) {
    this.host = host;
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    this.#finished.catch(() => {});
  }

  attach(task: { title: unknown }): Promise<void> {
    this.#task = task;
    this.say(this.#text);
    return this.#finished;
  }

  begin(text: string, change: number): void {
    this.phase = "at-work";
    this.lastChange = change;
    this.say(text);
  }

  say(text: string): void {
    this.#text = text;
    if (this.#task !== undefined) this.#task.title = `${this.host}  ${text}`;
  }

  end({ result }: Extract<RunEvent, { type: "host" }>, change: number): void {
    const text = renderEnding(result);
    this.say(text);
    const good = ["verified", "unchanged", "planned"].includes(result.outcome);
    this.phase = good ? "good" : result.outcome === "not-attempted" ? "stopped" : "bad";
    this.lastChange = change;
    this.#finish(good ? undefined : new Error(`${this.host}  ${text}`));
  }

  release(): void {
    this.#finish();
  }
}
