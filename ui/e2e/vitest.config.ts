import { defineConfig } from 'vitest/config';

// The real program, in its window and in a browser: `npm run e2e`, or `npm run screens` for pictures of it. .ci/e2e and .ci/screens give them a display.
export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  test: {
    include: [mode === 'screens' ? 'screens.ts' : '*.test.ts'],
    // Each waiting in a test has a limit of its own (until.ts), so that a failing test still closes what it opened.
    testTimeout: 600_000,
    maxWorkers: 2,
  },
}));
