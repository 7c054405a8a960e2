import { readdirSync, readFileSync } from 'node:fs';
import type { Home } from './program';

/** Which of these texts stand in which files of somebody's home: the profile, and what the web view or the system laid beside it. */
export function onDisk(home: Home, texts: string[]): string[] {
  const files = readdirSync(home.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap((file) => {
    const path = `${file.parentPath}/${file.name}`;
    const bytes = readFileSync(path);
    const stands = (text: string) => bytes.includes(text, 0, 'utf8') || bytes.includes(text, 0, 'utf16le');
    return texts.filter(stands).map((text) => `${path}: ${text}`);
  });
}
