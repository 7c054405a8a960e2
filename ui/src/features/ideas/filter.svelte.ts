import type { IdeaCard, IdeaState } from '$lib/api';
import type { Kiez } from '$lib/kiez.svelte';

/** What is looked for in the list of ideas. Who goes to an idea and back finds it as it was. */
export class Filter {
  readonly group: string;
  text = $state('');
  state = $state<IdeaState | null>(null);
  category = $state('');
  target = $state('');
  /** Only those I wrote down. */
  mine = $state(false);

  constructor(group: string) {
    this.group = group;
  }
  get any() {
    return this.text.trim() !== '' || this.state !== null || this.category !== '' || this.target !== '' || this.mine;
  }
  clear() {
    this.text = this.category = this.target = '';
    this.state = null;
    this.mine = false;
  }
  /** But for its state and whose it is: these are counted. */
  fits(card: IdeaCard): boolean {
    return (this.category === '' || card.categories.includes(this.category)) && (this.target === '' || card.targets.includes(this.target));
  }
  takes(card: IdeaCard): boolean {
    return this.fits(card) && (this.state === null || card.state === this.state) && (!this.mine || card.author?.me === true);
  }
}

const kept = new WeakMap<Kiez, Filter>();
export function filterOf(kiez: Kiez): Filter {
  let filter = kept.get(kiez);
  if (filter?.group !== kiez.group) kept.set(kiez, (filter = new Filter(kiez.group)));
  return filter;
}
