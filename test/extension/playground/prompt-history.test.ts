import { expect, test } from 'vitest';
import { DEFAULT_GENERATION_OPTIONS } from '../../../engine/generate/generation-options.ts';
import type { HistoryEntry, Turn } from '../../../extension/playground/playground-messages.ts';
import { PromptHistory } from '../../../extension/playground/prompt-history.ts';

/** VS Code's memory of a workspace. */
function memory() {
  const values = new Map<string, unknown>();
  return {
    keys: () => [...values.keys()],
    get: (key: string, initial?: unknown) => values.get(key) ?? initial,
    update: async (key: string, value: unknown) => void values.set(key, value),
  } as ConstructorParameters<typeof PromptHistory>[0];
}

function entry(prompt: string, turns: readonly Turn[] = []): HistoryEntry {
  const question = { mode: 'chat', context: [], prompt, expected: null } as const;
  return {
    time: '2026-01-01T00:00:00Z',
    question,
    answers: [{ writer: 'a', text: prompt }],
    turns,
  };
}

function prompts(history: PromptHistory, subject: string): readonly string[] {
  return history.entries(subject).map(({ question }) => question.prompt);
}

test('each adapter has its own history, the latest first, and it can be cleared', async () => {
  const kept = memory();
  const history = new PromptHistory(kept);
  await history.add('a', entry('one'));
  await history.add('b', entry('other'));
  await history.add('a', entry('two'));
  expect(prompts(history, 'a')).toEqual(['two', 'one']);
  await history.clear('a');
  expect(prompts(new PromptHistory(kept), 'a')).toEqual([]);
  expect(prompts(new PromptHistory(kept), 'b')).toEqual(['other']);
});

test('an entry keeps how it was drawn', async () => {
  const history = new PromptHistory(memory());
  const sampling = { ...DEFAULT_GENERATION_OPTIONS, seed: 3 };
  await history.add('a', { ...entry('one'), sampling });
  expect(history.entries('a')[0]!.sampling).toEqual(sampling);
});

test('it stays small', async () => {
  const history = new PromptHistory(memory());
  for (let index = 0; index < 40; index += 1) await history.add('a', entry(`${index}`));
  expect(prompts(history, 'a')).toHaveLength(30);
  for (let index = 0; index < 25; index += 1) await history.add(`${index}`, entry('x'));
  expect(prompts(history, 'a')).toEqual([]);
  await history.add('a', entry('y'.repeat(1e5)));
  expect(JSON.stringify(history.entries('a')).length).toBeLessThan(10_000);
});

test('a conversation that goes on is one entry', async () => {
  const history = new PromptHistory(memory());
  const turns = ['Hi', 'Hello', 'Bye', 'See you'].map((content, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  await history.add('a', entry('Hi', turns.slice(0, 2)));
  await history.add('a', entry('Hi', turns));
  expect(history.entries('a').map((each) => each.turns.length)).toEqual([4]);
  await history.add('a', entry('Hey', [{ role: 'user', content: 'Hey' }]));
  expect(history.entries('a')).toHaveLength(2);
});

test('another adapter at the same path has none of it, until both are known to be one', async () => {
  const history = new PromptHistory(memory());
  await history.add('/runs/a', entry('before it was known'));
  await history.add('/runs/a', entry('old'), 1);
  await history.move({ from: '/runs/a', to: '/runs/b' });
  expect(history.entries('/runs/b', 2)).toEqual([]);
  // Back from the trash.
  expect(history.entries('/runs/b', 1)).toHaveLength(2);
  expect(history.entries('/runs/b')).toHaveLength(2);
  await history.add('/runs/b', entry('new'), 2);
  expect(prompts(history, '/runs/b')).toEqual(['new']);
});

test('it stays with an adapter that gets another name, and with the checkpoints of its run', async () => {
  const history = new PromptHistory(memory());
  for (const subject of ['/runs/a', '/runs/a/checkpoint-5', '/runs/ab']) {
    await history.add(subject, entry(subject));
  }
  await history.move({ from: '/runs/a', to: '/runs/c' });
  expect(prompts(history, '/runs/c')).toEqual(['/runs/a']);
  expect(prompts(history, '/runs/c/checkpoint-5')).toEqual(['/runs/a/checkpoint-5']);
  expect(prompts(history, '/runs/a')).toEqual([]);
  expect(prompts(history, '/runs/ab')).toEqual(['/runs/ab']);
  // What was tried with one that had the name before, and is gone, goes.
  await history.move({ from: '/runs/ab', to: '/runs/c' });
  expect(prompts(history, '/runs/c')).toEqual(['/runs/ab']);
  await history.add('/runs/c', entry('/runs/more'));
  expect(prompts(history, '/runs/c')).toEqual(['/runs/more', '/runs/ab']);
});
