import type { HistoryItem, HistoryWhat } from '$lib/api';
import { m } from '$words';

const words: Record<HistoryWhat, (verb: { has: string }) => string> = {
  'written': m.history_written, 'title': m.history_title, 'text': m.history_text, 'cost': m.history_cost, 'place': m.history_place,
  'comment': m.history_comment, 'vote-opened': m.history_vote_opened, 'vote-closed': m.history_vote_closed, 'task': m.history_task, 'task-done': m.history_task_done,
};
export const historyWord = (item: HistoryItem) => words[item.what]({ has: item.by?.me ? m.have() : m.has() });
