import { fileURLToPath } from 'node:url';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Relative: the same files are served by the window (custom scheme) and by the local server.
  base: './',
  plugins: [
    // Tests read what `npm run messages` wrote: the plugin's watcher would keep vitest from ending.
    ...(process.env['VITEST'] ? [] : [paraglideVitePlugin({
      project: './project.inlang',
      outdir: './src/lib/words/made',
      strategy: ['localStorage', 'preferredLanguage', 'baseLocale'],
      outputStructure: 'message-modules',
    })]),
    svelte(),
  ],
  resolve: {
    alias: { $lib: here('./src/lib'), $words: here('./src/lib/words/index.ts') },
    ...(process.env['VITEST'] ? { conditions: ['browser'] } : {}),
  },
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: false },
  server: { port: 5173, strictPort: true },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    restoreMocks: true,
  },
});
