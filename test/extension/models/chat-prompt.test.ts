import { expect, test } from 'vitest';
import { chatPrompt, textOf } from '../../../extension/models/chat-prompt.ts';

test('texts of a message are joined, whatever else is in it', () => {
  const parts = [{ value: 'Hello ' }, { data: new Uint8Array(2) }, null, { value: 'you' }];
  expect(textOf(parts)).toBe('Hello you');
  expect(textOf([])).toBe('');
});

test('a single question works without a chat template, a conversation keeps its turns', () => {
  expect(chatPrompt([{ role: 'user', content: 'Hi' }])).toEqual({ turn: 'Hi' });
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: 'Again' },
  ] as const;
  expect(chatPrompt(messages)).toEqual({ messages });
});
