import { createServer, type Socket } from "node:net";
import type { Secret } from "../secret.ts";
import type { SshQuestion } from "./open-session.ts";

/** What a question came to: the words for `ssh`, or nothing. */
type Answerer = (question: SshQuestion) => Promise<Secret | undefined>;

/** Where `askpass.ts`, which `ssh` starts for every question, brings it. */
export interface AskDesk {
  close(): void;
}

const LONGEST_QUESTION = 16 * 1024;

/**
 * Listens on a socket in a folder that is the user's alone. Questions are answered one at a time; `onError` is told when
 * answering failed, which `ssh` sees as a question declined.
 */
export async function openAskDesk(
  path: string,
  answer: Answerer,
  onError: (error: unknown) => void,
): Promise<AskDesk> {
  let last: Promise<unknown> = Promise.resolve();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // `ssh` ends a notice by ending its program
    socket.on("close", () => sockets.delete(socket));
    void receive(socket);
  });
  const receive = async (socket: Socket): Promise<void> => {
    const question = await readQuestion(socket);
    if (question === undefined) socket.destroy();
    else if (question.kind === "notice") await answer(question).catch(onError);
    else last = last.then(() => reply(socket, question));
  };
  const reply = async (socket: Socket, question: SshQuestion): Promise<void> => {
    try {
      const given = await answer(question);
      socket.end(given === undefined ? "-" : `+${given.reveal()}`);
    } catch (error) {
      onError(error);
      socket.end("-");
    }
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return {
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One line of JSON. */
async function readQuestion(socket: Socket): Promise<SshQuestion | undefined> {
  let text = "";
  for await (const chunk of socket.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes("\n") || text.length > LONGEST_QUESTION) break;
  }
  try {
    const asked: unknown = JSON.parse(text);
    if (typeof asked !== "object" || asked === null) return undefined;
    if (!("kind" in asked && "text" in asked) || typeof asked.text !== "string") return undefined;
    const kind = (["secret", "confirm", "notice"] as const).find((one) => one === asked.kind);
    return kind && { kind, text: asked.text };
  } catch {
    return undefined;
  }
}
