import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A test waits for processes now and then: three at a time keep two cores busy.
    maxWorkers: 3,
    // Files share the processes they run in: nearly all of them look at processes of their own anyway.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
