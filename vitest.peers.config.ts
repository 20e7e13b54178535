import { defineConfig } from 'vitest/config';

// The systems whose files are read, run for real: npx vitest run --config vitest.peers.config.ts
export default defineConfig({
  test: {
    include: ['test/peers/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ['test/global-setup.ts'],
    // Without it the suites in test/peers are skipped: they need programs that not everybody has.
    env: { DDIA_PEERS: '1' },
  },
});
