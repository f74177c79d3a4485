import { expect, test } from 'vitest';
import { guessMapping } from '../../../engine/data/guess-columns.ts';

const LONG = 'The parcel has not come, and nobody answers the telephone.';

test.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, string>>]>([
  [
    'ticket, reply',
    { ticket: LONG, reply: LONG },
    { prompt_column: 'ticket', completion_column: 'reply' },
  ],
  [
    'the answer first',
    { Antwort: LONG, Frage: LONG },
    { prompt_column: 'Frage', completion_column: 'Antwort' },
  ],
  [
    'camel case and numbers',
    { ticketId: '17', customerMessage: LONG, agentReply: LONG, createdAt: '2024-01-02' },
    { prompt_column: 'customerMessage', completion_column: 'agentReply' },
  ],
  [
    'accents',
    { entrée: LONG, réponse: LONG },
    { prompt_column: 'entrée', completion_column: 'réponse' },
  ],
  [
    'a label',
    { review: LONG, sentiment: 'bad' },
    { prompt_column: 'review', completion_column: 'sentiment' },
  ],
  [
    'a label in numbers',
    { text: LONG, label: 1 },
    { prompt_column: 'text', completion_column: 'label' },
  ],
  [
    'names that say nothing',
    { id: 'a-1', spalte_a: LONG, spalte_b: LONG },
    { prompt_column: 'spalte_a', completion_column: 'spalte_b' },
  ],
  [
    'one name that says something',
    { colA: LONG, reply_text: LONG },
    { prompt_column: 'colA', completion_column: 'reply_text' },
  ],
  [
    'a summary',
    { article: LONG, summary: 'Late.' },
    { prompt_column: 'article', completion_column: 'summary' },
  ],
  [
    'the end of a name',
    { question: LONG, question_answer: LONG },
    { prompt_column: 'question', completion_column: 'question_answer' },
  ],
  ['one column', { body: LONG, n: 3 }, { text_column: 'body' }],
  [
    'turns',
    { id: 'x', dialog: [{ from: 'human', value: 'hi' }], text: LONG },
    { messages_column: 'dialog' },
  ],
])('%s', (_, row, expected) => {
  expect(guessMapping([row, row])).toMatchObject(expected);
});

test('no text', () => {
  expect(guessMapping([])).toBeUndefined();
  expect(guessMapping([{ a: 1, b: [1], c: null }])).toBeUndefined();
});
