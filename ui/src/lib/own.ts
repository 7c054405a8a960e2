/**
 * What I do shows at once. A tick and a comment already while Kiez writes them down, and are taken back should it fail; a ballot
 * and what gets its name from Kiez from the answer. How it stands with all that others did is asked in the same moment.
 */
import type { CommentCard, IdeaCard, IdeaPage, IdeaRef, Person, Place, PollCard, PollPage, TaskCard, Text, TextField, Today } from './api';
import type { Kiez } from './kiez.svelte';

type Show = <T>(name: string, change: (value: T) => T) => void;
/** Shows it as hoped for while it is done, and then as it was answered. */
async function hoping<A>(kiez: Kiez, act: () => Promise<A>, shows: (show: Show, answer: A | null) => void): Promise<void> {
  // Another group may be looked at before the answer is there.
  const { group } = kiez;
  const ends: (() => void)[] = [];
  const done = act();
  shows((name, change) => void ends.push(kiez.hope(name, change)), null);
  try {
    const answer = await done;
    shows((name, change) => { kiez.show(name, change, group); }, answer);
  } finally {
    for (const end of ends) end();
  }
}

export function comment(kiez: Kiez, idea: string, text: string) {
  const at = Date.now();
  // Kiez may tell of it before it answers.
  let before: Set<string> | null = null;
  return hoping(kiez, () => kiez.client.comment(kiez.group, idea, text), (show, answer) => {
    show<IdeaPage>(`idea ${idea}`, (page) => {
      before ??= new Set(page.comments.map((one) => one.id));
      const there = page.comments.some((one) => (answer ? one.id === answer.id : one.mine && one.text === text && !before?.has(one.id)));
      const mine: CommentCard = { id: answer?.id ?? `mine ${at}`, author: kiez.me, text, at, mine: true, new: false };
      return there ? page : { ...page, comments: [...page.comments, mine] };
    });
  });
}

/** What is still being written down about a task. */
const going = new Map<string, Promise<unknown>>();
/** One after another: what was done to the same task first is written down first. Answers whether nothing else came after it. */
async function changeTask(kiez: Kiez, task: TaskCard, change: Partial<TaskCard>, act: (group: string) => Promise<unknown>): Promise<boolean> {
  // It may wait its turn until another group is looked at.
  const { group } = kiez;
  const key = `${group} ${task.id}`;
  const now = () => act(group);
  const before = going.get(key);
  const turn = before ? before.then(now, now) : now();
  going.set(key, turn);
  try {
    await changing(kiez, task, change, () => turn);
    return going.get(key) === turn;
  } finally {
    if (going.get(key) === turn) going.delete(key);
  }
}
const changing = (kiez: Kiez, task: TaskCard, change: Partial<TaskCard>, act: () => Promise<unknown>) =>
  hoping(kiez, act, (show) => {
    const changed = { ...task, ...change };
    const set = (all: TaskCard[]) => all.map((one) => (one.id === task.id ? { ...one, ...change } : one));
    show<TaskCard[]>('tasks', set);
    show<Today>('today', (today) => {
      const there = today.myTasks.some((one) => one.id === task.id);
      const mine = there || !changed.mine ? set(today.myTasks) : [...today.myTasks, changed];
      // What is done is not for today any more.
      return { ...today, myTasks: mine.filter((one) => one.state !== 'done') };
    });
    if (task.idea) show<IdeaPage>(`idea ${task.idea.id}`, (page) => ({ ...page, tasks: set(page.tasks) }));
  });
export const setTask = (kiez: Kiez, task: TaskCard, state: TaskCard['state']) =>
  changeTask(kiez, task, { state }, (group) => kiez.client.taskState(group, task.id, state));
export function takeTask(kiez: Kiez, task: TaskCard) {
  const others = task.assignees.filter((person) => !person.me);
  return changeTask(kiez, task, { state: 'doing', mine: true, assignees: [...others, kiez.me] }, (group) => kiez.client.taskTake(group, task.id));
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
  const { group } = kiez;
  await kiez.client.cast(group, poll.id, answers);
  const set = (card: PollCard): PollCard => (card.id === poll.id ? { ...card, cast: card.cast + (card.mine === null ? 1 : 0), mine: answers } : card);
  kiez.show<PollCard[]>('decisions', (all) => all.map(set), group);
  kiez.show<Today>('today', (today) => ({ ...today, openVotes: today.openVotes.map(set) }), group);
  kiez.show<PollPage>(`poll ${poll.id}`, (page) => ({ ...page, card: set(page.card), notYet: page.notYet.filter((person) => !person.me) }), group);
  kiez.show<IdeaPage>(`idea ${poll.idea.id}`, (page) => ({ ...page, polls: page.polls.map(set) }), group);
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
