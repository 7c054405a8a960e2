import { defineConfig } from 'vitest/config';

// The real program, in its window and in a browser. `npm run e2e` runs this; .ci/e2e gives it a display.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['*.test.ts'],
    // Each waiting in a test has a limit of its own (until.ts), so that a failing test still closes what it opened.
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
