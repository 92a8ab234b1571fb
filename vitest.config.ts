import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Most of a test is waiting for processes: three at a time on two cores leave a third of them idle.
    maxWorkers: 3,
    // Files share the processes they run in: nearly all of them look at processes of their own anyway.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
