import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inTurn, startDeadline } from "../../src/once-per-run.ts";
import { fakePorts } from "../support/fake-ports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A question that somebody answers when the test says so. */
function question() {
  let answer!: () => void;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  return { ask: () => answered, answer };
}

test("a host has its time", async () => {
  using deadline = startDeadline(fakePorts(), 1000);
  await vi.advanceTimersByTimeAsync(999);
  expect(deadline.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(deadline.signal.aborted).toBe(true);
});

test("while a person is asked, and while others wait for their turn, no host loses time", async () => {
  const ports = fakePorts();
  using deadline = startDeadline(ports, 1000);
  await vi.advanceTimersByTimeAsync(600);
  const [first, second] = [question(), question()];
  const answers = [inTurn(ports, first.ask), inTurn(ports, second.ask)];
  await vi.advanceTimersByTimeAsync(3_600_000);
  first.answer();
  await vi.advanceTimersByTimeAsync(3_600_000);
  // A host whose turn comes now has not lost anything either.
  using late = startDeadline(ports, 1000);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect([deadline.signal.aborted, late.signal.aborted]).toEqual([false, false]);
  second.answer();
  await Promise.all(answers);
  await vi.advanceTimersByTimeAsync(399);
  expect(deadline.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect([deadline.signal.aborted, late.signal.aborted]).toEqual([true, false]);
});

test("a question that is broken off lets time go on", async () => {
  const ports = fakePorts();
  using deadline = startDeadline(ports, 1000);
  await expect(inTurn(ports, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await vi.advanceTimersByTimeAsync(1000);
  expect(deadline.signal.aborted).toBe(true);
});

test("a host that is done leaves no clock behind", () => {
  const deadline = startDeadline(fakePorts(), 1000);
  deadline[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
  expect(deadline.signal.aborted).toBe(false);
});
