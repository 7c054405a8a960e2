import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import kiez from './scripts/lint.js';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/lib/words/made', 'shots'] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  { files: ['**/*.svelte', '**/*.svelte.ts'], languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } } },
  {
    files: ['src/**'],
    plugins: { kiez },
    rules: {
      'kiez/features-apart': 'error',
      'kiez/words-in-catalogue': 'error',
      'kiez/no-style-attribute': 'error',
      'kiez/said-in-bdi': 'error',
      'svelte/no-at-html-tags': 'error',
      'svelte/no-navigation-without-resolve': 'off', // Hash routing; resolve() is SvelteKit's.
      'svelte/prefer-svelte-reactivity': 'off', // Maps and sets here are made and read in one go.
      'max-lines': ['error', 500],
      eqeqeq: 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
);
