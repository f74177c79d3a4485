import { expect, test } from 'vitest';
import type { Conversation } from '../../../engine/data/chat-segments.ts';
import { requireExpressed } from '../../../engine/data/expressed.ts';

/** So many questions, each answered by a call. */
function conversation(turns: number): Conversation {
  const messages = Array.from({ length: turns }, (_, index) => [
    { role: 'user' as const, content: ` ask ${index} ` },
    { role: 'assistant' as const, content: '', tool_calls: [{ name: 'add', number: index }] },
  ]).flat();
  return { messages, tools: [] };
}

/** Writes turns as JSON, their texts in capitals, and calls but for one; how often it was asked. */
function counting(leftOut?: number) {
  let count = 0;
  const render = ({ messages }: Conversation): string => {
    count++;
    return messages
      .map(({ role, content, tool_calls: calls }) =>
        JSON.stringify([role, content?.toUpperCase(), callsBut(leftOut, calls)]),
      )
      .join('\n');
  };
  return { render, count: () => count };
}

function callsBut(leftOut: number | undefined, calls: unknown): unknown[] {
  return (Array.isArray(calls) ? calls : []).filter(({ number }) => number !== leftOut);
}

test('a long conversation of like turns is rendered a few times, not once for each turn', () => {
  const long = conversation(500);
  const { render, count } = counting();
  requireExpressed(long, render(long), render);
  expect(count()).toBeLessThan(12);
});

test.each([
  [0, 2],
  [499, 1000],
])('call %d that a template leaves out is missed', (call, turn) => {
  const long = conversation(500);
  const { render } = counting(call);
  expect(() => requireExpressed(long, render(long), render)).toThrow(
    `does not write the call of turn ${turn},`,
  );
});

test('no calls are nothing that could be left out', () => {
  const { render } = counting();
  const none: Conversation = {
    messages: [{ role: 'assistant', content: 'yes', tool_calls: [] }],
    tools: [],
  };
  requireExpressed(none, 'yes', render);
});
