import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TimeLimit } from "../../src/time-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function limit() {
  const over = vi.fn<() => void>();
  return { over, limit: new TimeLimit(over) };
}

test("a time limit ends after its time, once", () => {
  const { over, limit: time } = limit();
  time.start(1000);
  vi.advanceTimersByTime(999);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  expect(over).toHaveBeenCalledTimes(1);
});

test("while a person is asked it stands still, and then what was left is left", () => {
  const { over, limit: time } = limit();
  time.start(1000);
  vi.advanceTimersByTime(600);
  time.hold();
  vi.advanceTimersByTime(3_600_000);
  expect(over).not.toHaveBeenCalled();
  time.goOn();
  vi.advanceTimersByTime(399);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(over).toHaveBeenCalledTimes(1);
});

test("a limit that is started anew forgets the old one; one that has ended never fires", () => {
  const { over, limit: time } = limit();
  time.start(10);
  time.start(1000);
  vi.advanceTimersByTime(500);
  expect(over).not.toHaveBeenCalled();
  time.end();
  vi.advanceTimersByTime(5000);
  expect(over).not.toHaveBeenCalled();
});
