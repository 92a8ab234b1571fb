import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { ProcessStream } from "../../src/remote/process-stream.ts";

function streamOf(script: string) {
  const child = spawn("/bin/sh", ["-c", script], { stdio: "pipe" });
  child.stdin.on("error", () => undefined); // as its owner does
  return { child, stream: new ProcessStream(child) };
}

test("both directions carry bytes, and the end of one is no end of the other", async () => {
  const { stream } = streamOf("cat");
  stream.end("question");
  expect(await text(stream)).toBe("question");
});

test("an answer is read to its end although nobody takes the rest of the question", async () => {
  const { child, stream } = streamOf("read -r line; echo answer");
  stream.write("question\n");
  await once(child, "exit");
  const written = new Promise((resolve) => stream.write("the rest", resolve));
  expect(await text(stream)).toBe("answer\n");
  expect(await written).toBeFalsy();
});

test("a process that says nothing ends the stream too", async () => {
  const { child, stream } = streamOf("exit 0");
  await once(child, "exit");
  stream.end("question");
  expect(await text(stream)).toBe("");
});
