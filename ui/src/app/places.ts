import type { Component } from 'svelte';
import type { IconName } from '$lib/parts/icons';
import type { PlaceName } from '$lib/route.svelte';
import { m } from '$words';

export interface PlaceEntry {
  name: PlaceName;
  icon: IconName;
  word: () => string;
  short: () => string;
  /** What is there, in a few words. */
  more?: () => string;
}
/** In the rail all; in the bar the first four and "more". */
export const entries: PlaceEntry[] = [
  { name: 'today', icon: 'today', word: m.place_today, short: m.place_today },
  { name: 'ideas', icon: 'idea', word: m.place_ideas, short: m.place_ideas },
  { name: 'decisions', icon: 'vote', word: m.place_decisions, short: m.place_decide },
  { name: 'tasks', icon: 'tasks', word: m.place_tasks, short: m.place_tasks },
  { name: 'people', icon: 'people', word: m.place_people, short: m.place_people, more: m.more_people },
  { name: 'settings', icon: 'settings', word: m.place_settings, short: m.place_settings, more: m.more_settings },
];

type Page = Component<{ id: string | null }>;
/** A page that needs no id. */
const plain = (load: () => Promise<{ default: Component }>) => load as unknown as () => Promise<{ default: Page }>;
/** Each place is loaded when it is first gone to. */
export const pages: Record<Exclude<PlaceName, 'start'>, () => Promise<{ default: Page }>> = {
  today: plain(() => import('../features/today/Today.svelte')),
  ideas: () => import('../features/ideas/Ideas.svelte'),
  decisions: () => import('../features/decisions/Decisions.svelte'),
  tasks: () => import('../features/tasks/Tasks.svelte'),
  people: () => import('../features/people/People.svelte'),
  settings: () => import('../features/settings/Settings.svelte'),
  more: plain(() => import('./More.svelte')),
};
