#!/usr/bin/env node
// Started by `ssh` (SSH_ASKPASS) for each question it has. Carries the question to the sync-creds that runs `ssh`, over
// its socket, and prints the answer: the way `ssh` wants it, and the only place where it appears.
import { connect } from "node:net";

const KINDS: Readonly<Record<string, string>> = { confirm: "confirm", none: "notice" };

const { SYNC_CREDS_ASK: path = "", SSH_ASKPASS_PROMPT: hint = "" } = process.env;
const question = { kind: KINDS[hint] ?? "secret", text: process.argv[2] ?? "" };
let answer = "";
process.exitCode = 1;
const socket = connect(path, () => socket.write(`${JSON.stringify(question)}\n`));
socket.setEncoding("utf8");
socket.on("data", (text: string) => (answer += text));
socket.on("error", () => {}); // whoever should answer is gone: declined
socket.on("close", () => {
  if (!answer.startsWith("+")) return;
  process.stdout.write(`${answer.slice(1)}\n`);
  process.exitCode = 0;
});
