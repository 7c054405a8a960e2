/** What I did shows at once, from the answer to it; how it stands with all that others did is asked in the same moment. */
import type { IdeaCard, IdeaPage, IdeaRef, Person, Place, PollCard, PollPage, TaskCard, Text, TextField, Today } from './api';
import type { Kiez } from './kiez.svelte';

export async function comment(kiez: Kiez, idea: string, text: string) {
  const { id } = await kiez.client.comment(kiez.group, idea, text);
  const mine = { id, author: kiez.me, text, at: Date.now(), mine: true, new: false };
  kiez.show<IdeaPage>(`idea ${idea}`, (page) => ({ ...page, comments: page.comments.some((c) => c.id === id) ? page.comments : [...page.comments, mine] }));
}

function showTask(kiez: Kiez, task: TaskCard, change: Partial<TaskCard>) {
  const changed = { ...task, ...change };
  const set = (all: TaskCard[]) => all.map((one) => (one.id === task.id ? { ...one, ...change } : one));
  kiez.show<TaskCard[]>('tasks', set);
  kiez.show<Today>('today', (today) => {
    const there = today.myTasks.some((one) => one.id === task.id);
    return { ...today, myTasks: there || !changed.mine ? set(today.myTasks) : [...today.myTasks, changed] };
  });
  if (task.idea) kiez.show<IdeaPage>(`idea ${task.idea.id}`, (page) => ({ ...page, tasks: set(page.tasks) }));
}
export async function setTask(kiez: Kiez, task: TaskCard, state: TaskCard['state']) {
  await kiez.client.taskState(kiez.group, task.id, state);
  showTask(kiez, task, { state });
}
export async function takeTask(kiez: Kiez, task: TaskCard) {
  await kiez.client.taskTake(kiez.group, task.id);
  const others = task.assignees.filter((person) => !person.me);
  showTask(kiez, task, { state: 'doing', mine: true, assignees: [...others, kiez.me] });
}

export async function addTask(kiez: Kiez, title: string, idea: IdeaRef | null, assignees: Person[], due: string | null) {
  const { id } = await kiez.client.taskAdd(kiez.group, title, idea?.id ?? null, assignees.map((person) => person.id), due);
  const card: TaskCard = { id, title, idea, assignees, mine: assignees.some((person) => person.me), due, state: 'open' };
  const add = (all: TaskCard[]) => (all.some((task) => task.id === id) ? all : [...all, card]);
  kiez.show<TaskCard[]>('tasks', add);
  if (card.mine) kiez.show<Today>('today', (today) => ({ ...today, myTasks: add(today.myTasks) }));
  if (idea) kiez.show<IdeaPage>(`idea ${idea.id}`, (page) => ({ ...page, tasks: add(page.tasks) }));
}

export async function cast(kiez: Kiez, poll: PollCard, answers: string[]) {
  await kiez.client.cast(kiez.group, poll.id, answers);
  const set = (card: PollCard): PollCard => (card.id === poll.id ? { ...card, cast: card.cast + (card.mine === null ? 1 : 0), mine: answers } : card);
  kiez.show<PollCard[]>('decisions', (all) => all.map(set));
  kiez.show<Today>('today', (today) => ({ ...today, openVotes: today.openVotes.map(set) }));
  kiez.show<PollPage>(`poll ${poll.id}`, (page) => ({ ...page, card: set(page.card), notYet: page.notYet.filter((person) => !person.me) }));
  kiez.show<IdeaPage>(`idea ${poll.idea.id}`, (page) => ({ ...page, polls: page.polls.map(set) }));
}

function setCard(kiez: Kiez, id: string, change: Partial<IdeaCard>) {
  kiez.show<IdeaPage>(`idea ${id}`, (page) => ({ ...page, card: { ...page.card, ...change } }));
  kiez.show<IdeaCard[]>('ideas', (all) => all.map((card) => (card.id === id ? { ...card, ...change } : card)));
}
export async function setCost(kiez: Kiez, id: string, cost: number | null) {
  await kiez.client.ideaCost(kiez.group, id, cost);
  setCard(kiez, id, { cost });
}
export async function setPlace(kiez: Kiez, id: string, place: Place | null) {
  await kiez.client.ideaPlace(kiez.group, id, place);
  setCard(kiez, id, { place });
}

/** A text of an idea as Kiez answered it after what I typed. */
export function textStands(kiez: Kiez, id: string, field: TextField, text: Text) {
  kiez.show<IdeaPage>(`idea ${id}`, (page) => ({ ...page, [field]: text }));
}
