import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // These need other software: npm run peers.
    exclude: ['test/peers/**', 'node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['test/global-setup.ts'],
    // Files of tests are independent, and most of them keep one core busy.
    maxWorkers: '100%',
  },
});
