/** What the first page needs of script, compressed; fails over 150 kB. Counts index.html's scripts and all they import outright. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';

const seen = new Set();
function walk(path) {
  if (seen.has(path)) return 0;
  seen.add(path);
  const text = readFileSync(path, 'utf8');
  let sum = gzipSync(text).length;
  for (const [, name] of text.matchAll(/(?:from|import)\s*["'](\.[^"']+\.js)["']/g)) sum += walk(normalize(join(dirname(path), name)));
  return sum;
}
const html = readFileSync('dist/index.html', 'utf8');
let sum = 0;
for (const [, name] of html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)) sum += walk(join('dist', name));
const first = sum;
const today = readFileSync('dist/' + [...seen].find((p) => /places-/.test(p))?.slice(5) || '', 'utf8').match(/\.\/Today-[^"'`]+\.js/)?.[0];
if (today) sum += walk(join('dist/assets', today));
process.stdout.write(`initial script: ${(first / 1000).toFixed(1)} kB gzip; with the first place: ${(sum / 1000).toFixed(1)} kB (${seen.size} files)\n`);
if (sum > 150_000) process.exit(1);
