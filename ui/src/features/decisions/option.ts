import type { PollMethod } from '$lib/api';
import { said } from '$lib/words/said';
import { m } from '$words';

/** Yes, no and abstain are Kiez's own words; other options are what people wrote. */
export function optionText(method: PollMethod, option: string): string {
  if (method !== 'yes-no') return said(option);
  return option === 'yes' ? m.yes() : option === 'no' ? m.no() : option === 'abstain' ? m.abstain() : said(option);
}
