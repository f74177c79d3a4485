import { describe, expect, test } from 'vitest';
import { ByWriter, writerId } from '../../../media/playground/by-writer.ts';
import { Conversation } from '../../../media/playground/conversation.ts';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

describe('a conversation', () => {
  test('is answered by all that was said', () => {
    const conversation = new Conversation();
    expect(conversation.ask('one')).toEqual([user('one')]);
    conversation.answer('eins');
    expect(conversation.ask('two')).toEqual([user('one'), assistant('eins'), user('two')]);
  });

  test('goes on without a message that has no answer', () => {
    const conversation = new Conversation();
    conversation.ask('one');
    conversation.answer('eins');
    conversation.ask('fails');
    expect(conversation.ask('two')).toEqual([user('one'), assistant('eins'), user('two')]);
    expect(conversation.asked).toBe('two');
    expect(conversation.takeBack()).toBe('two');
    expect(conversation.takeBack()).toBe('');
    expect(conversation.turns).toEqual([user('one'), assistant('eins')]);
  });

  test('is not empty while its first message is answered', () => {
    const conversation = new Conversation();
    expect(conversation.isEmpty).toBe(true);
    conversation.ask('one');
    expect(conversation.isEmpty).toBe(false);
    conversation.takeBack();
    expect(conversation.isEmpty).toBe(true);
  });
});

describe('each writer', () => {
  const made = () => new ByWriter(() => new Conversation());

  test('has a conversation of its own, which comes back', () => {
    const conversations = made();
    const [first, other, base] = [
      writerId('/base', '/runs/first'),
      writerId('/base', '/runs/other'),
      writerId('/base', null),
    ];
    conversations.of(first).ask('one');
    conversations.of(first).answer('eins');
    expect(conversations.of(other).ask('two')).toEqual([user('two')]);
    expect(conversations.of(base).isEmpty).toBe(true);
    expect(conversations.of(first).turns).toEqual([user('one'), assistant('eins')]);
  });

  test('is told with what it has, the one who was asked for last at the end', () => {
    const conversations = made();
    for (const writer of ['a', 'b', 'a']) conversations.of(writer);
    expect(conversations.all.map(([writer]) => writer)).toEqual(['b', 'a']);
  });

  test('keeps it under another name, and so do its checkpoints', () => {
    const conversations = made();
    for (const adapter of ['/runs/first', '/runs/first/checkpoint-2', '/runs/first-too']) {
      conversations.of(writerId('/base', adapter)).ask(adapter);
    }
    conversations.follow({ from: '/runs/first', to: '/runs/best' });
    const asked = (adapter: string) => conversations.of(writerId('/base', adapter)).takeBack();
    expect(asked('/runs/best')).toBe('/runs/first');
    expect(asked('/runs/best/checkpoint-2')).toBe('/runs/first/checkpoint-2');
    expect(asked('/runs/first-too')).toBe('/runs/first-too');
  });
});
