import { expect, test } from 'vitest';
import { guessMapping, mappingKeys } from '../../../engine/data/guess-columns.ts';

const LONG = 'The parcel has not come, and nobody answers the telephone.';

test.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, string>>]>([
  ['ticket, reply', { ticket: LONG, reply: LONG }, { prompt: 'ticket', completion: 'reply' }],
  ['the answer first', { Antwort: LONG, Frage: LONG }, { prompt: 'Frage', completion: 'Antwort' }],
  [
    'camel case and numbers',
    { ticketId: '17', customerMessage: LONG, agentReply: LONG, createdAt: '2024-01-02' },
    { prompt: 'customerMessage', completion: 'agentReply' },
  ],
  ['accents', { entrée: LONG, réponse: LONG }, { prompt: 'entrée', completion: 'réponse' }],
  ['a label', { review: LONG, sentiment: 'bad' }, { prompt: 'review', completion: 'sentiment' }],
  ['a label in numbers', { text: LONG, label: 1 }, { prompt: 'text', completion: 'label' }],
  [
    'names that say nothing',
    { id: 'a-1', spalte_a: LONG, spalte_b: LONG },
    { prompt: 'spalte_a', completion: 'spalte_b' },
  ],
  [
    'one name that says something',
    { colA: LONG, reply_text: LONG },
    { prompt: 'colA', completion: 'reply_text' },
  ],
  ['a summary', { article: LONG, summary: 'Late.' }, { prompt: 'article', completion: 'summary' }],
  [
    'the end of a name',
    { question: LONG, question_answer: LONG },
    { prompt: 'question', completion: 'question_answer' },
  ],
  ['one column', { body: LONG, n: 3 }, { text: 'body' }],
  [
    'turns',
    { id: 'x', dialog: [{ from: 'human', value: 'hi' }], text: LONG },
    { messages: 'dialog' },
  ],
])('%s', (_, row, expected) => {
  expect(guessMapping([row, row])).toMatchObject(expected);
});

test('no text', () => {
  expect(guessMapping([])).toBeUndefined();
  expect(guessMapping([{ a: 1, b: [1], c: null }])).toBeUndefined();
});

test('the keys of a mapping', () => {
  expect(mappingKeys({ kind: 'prompt_completion', prompt: 'a', completion: 'b' })).toEqual({
    prompt_column: 'a',
    completion_column: 'b',
  });
});
