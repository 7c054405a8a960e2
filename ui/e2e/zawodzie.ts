import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The participatory budget of Zawodzie, the file that Kiez takes in. */
export const FILE = resolve(import.meta.dirname, '../../tests/fixtures/zawodzie.pb');

export interface Project {
  name: string;
  cost: number;
}

/** Its projects, as they stand in the file. */
export function projects(): Project[] {
  const lines = readFileSync(FILE, 'utf8').split(/\r?\n/);
  const [from, to] = [lines.indexOf('PROJECTS'), lines.indexOf('VOTES')];
  const columns = cells(lines[from + 1] ?? '');
  const cell = (row: string[], column: string) => row[columns.indexOf(column)] ?? '';
  return lines.slice(from + 2, to).map((line) => {
    const row = cells(line);
    return { name: cell(row, 'name').trim(), cost: Number(cell(row, 'cost')) };
  });
}

/** Cells between semicolons; one that holds quotes stands in quotes, and they are doubled. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|;)(?:"((?:[^"]|"")*)"|([^;]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}
