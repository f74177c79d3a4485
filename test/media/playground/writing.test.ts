import { expect, test } from 'vitest';
import type { PlaygroundRequest } from '../../../extension/playground/playground-messages.ts';
import { writerId } from '../../../media/playground/by-writer.ts';
import { type TextPlace, Writing } from '../../../media/playground/writing.ts';
import type { GenerationAnswer } from '../../../server/protocol/generation.ts';

/** What a text of the page was told; only that is used of a view. */
function recordedView() {
  const told: string[] = [];
  const view: TextPlace = {
    start: (by?: string) => told.push(`start ${by}`),
    add: (piece: string) => told.push(`add ${piece}`),
    showLoading: () => told.push('loading'),
    finish: ({ text }: GenerationAnswer) => told.push(`finish ${text}`),
    fail: (message: string) => told.push(`fail ${message}`),
    interrupt: () => told.push('interrupt'),
  };
  return { told, view };
}

function answer(text: string): GenerationAnswer {
  return { text, promptTokens: 1, generatedTokens: 1, tokensPerSecond: 1, finishReason: 'stop' };
}

function page() {
  const sent: PlaygroundRequest[] = [];
  const writing = new Writing(
    (request) => sent.push(request),
    () => undefined,
  );
  const request = {
    model: 'base',
    device: 'cpu' as const,
    prompt: { text: 'a' },
    sampling: {
      max_new_tokens: 4,
      temperature: 0,
      top_k: 0,
      top_p: 1,
      repetition_penalty: 1,
      seed: 0,
      stop: [],
    },
  };
  const write = (view: TextPlace, by: string) =>
    writing.write(request, [{ writer: { adapter: by, quantization: null }, by, view }]);
  return { sent, writing, write };
}

test('what still comes of a text is not shown where another one was started', async () => {
  const { writing, write } = page();
  const { told, view } = recordedView();
  const first = write(view, 'a');
  writing.receive({ type: 'piece', slot: '1', text: 'one' });
  const second = write(view, 'b');
  writing.receive({ type: 'piece', slot: '2', text: 'two' });
  writing.receive({ type: 'piece', slot: '1', text: 'late' });
  writing.receive({ type: 'done', slot: '1', answer: answer('one late') });
  writing.receive({ type: 'done', slot: '2', answer: answer('two') });
  expect(await Promise.all([first, second])).toEqual([false, true]);
  expect(told).toEqual(['start a', 'add one', 'interrupt', 'start b', 'add two', 'finish two']);
});

test('a start anywhere on the page ends what is written elsewhere, which hears of it', async () => {
  const { writing, write } = page();
  const [row, prompt] = [recordedView(), recordedView()];
  const ofRow = write(row.view, 'a');
  const ofPrompt = write(prompt.view, 'a');
  expect(await ofRow).toBe(false);
  expect(writing.isBusy).toBe(true);
  writing.receive({ type: 'done', slot: '2', answer: answer('x') });
  expect(await ofPrompt).toBe(true);
  expect(row.told).toEqual(['start a', 'interrupt']);
});

test('a text that is given up is ended, and heard of no more', async () => {
  const { sent, writing, write } = page();
  const { told, view } = recordedView();
  writing.drop();
  const text = write(view, 'a');
  writing.drop();
  writing.receive({ type: 'done', slot: '1', answer: answer('late') });
  expect(await text).toBe(false);
  expect(told).toEqual(['start a', 'interrupt']);
  expect(sent.map(({ type }) => type)).toEqual(['generate', 'stop']);
  expect(writing.isBusy).toBe(false);
});

test('a text is ended when its writer is not asked any more, and only then', async () => {
  const { sent, writing, write } = page();
  const { told, view } = recordedView();
  const text = write(view, 'a');
  writing.dropUnlessBy(['base', 'a']);
  writing.receive({ type: 'piece', slot: '1', text: 'one' });
  writing.dropUnlessBy(['base', 'b']);
  writing.receive({ type: 'done', slot: '1', answer: answer('one, late') });
  expect(await text).toBe(false);
  expect(told).toEqual(['start a', 'add one', 'interrupt']);
  expect(sent.map(({ type }) => type)).toEqual(['generate', 'stop']);
});

test('a text goes on when its writer gets another name', async () => {
  const { sent, writing, write } = page();
  const { told, view } = recordedView();
  const text = write(view, writerId('/base', '/runs/first'));
  writing.follow({ from: '/runs/first', to: '/runs/best' });
  writing.dropUnlessBy([writerId('/base', '/runs/best')]);
  writing.receive({ type: 'done', slot: '1', answer: answer('one') });
  expect(await text).toBe(true);
  expect(told.slice(1)).toEqual(['finish one']);
  expect(sent.map(({ type }) => type)).toEqual(['generate']);
});
