import { expect, test } from 'vitest';
import type { PlaygroundRequest } from '../../../extension/playground/playground-messages.ts';
import { ChatAccess } from '../../../media/playground/chat-access.ts';

const FIRST = { model: '/base', adapter: '/runs/first' };
const BASE = { model: '/base', adapter: null };

function page() {
  const sent: PlaygroundRequest[] = [];
  return { sent, access: new ChatAccess((request) => sent.push(request)) };
}

test('who is picked is asked for once, and its answer alone counts', () => {
  const { sent, access } = page();
  access.pick(FIRST);
  access.pick(FIRST);
  access.pick(BASE);
  expect(sent).toEqual([
    { type: 'chat', ...FIRST },
    { type: 'chat', ...BASE },
  ]);
  expect(access.isOpen).toBe(true);
  expect(access.receive({ type: 'chat', ...FIRST, hasTemplate: false })).toBe(false);
  expect([access.isOpen, access.isDenied]).toEqual([true, false]);
  expect(access.receive({ type: 'chat', ...BASE, hasTemplate: false })).toBe(true);
  expect(access.receive({ type: 'chat', ...BASE, hasTemplate: false })).toBe(false);
  expect([access.isOpen, access.isDenied]).toEqual([false, true]);
  // Of another one nothing is known yet.
  access.pick(FIRST);
  expect([access.isOpen, access.isDenied]).toEqual([true, false]);
});

test('what was known holds while it is looked at again', () => {
  const { access } = page();
  access.pick(FIRST);
  access.receive({ type: 'chat', ...FIRST, hasTemplate: false });
  access.look(FIRST);
  expect([access.isOpen, access.isDenied]).toEqual([false, true]);
  access.receive({ type: 'chat', ...FIRST, hasTemplate: true });
  expect(access.isDenied).toBe(false);
});

test('what is known of an adapter is known under its new name', () => {
  const { sent, access } = page();
  access.pick(FIRST);
  access.receive({ type: 'chat', ...FIRST, hasTemplate: false });
  access.follow({ from: '/runs', to: '/done' });
  access.pick({ ...FIRST, adapter: '/done/first' });
  expect([sent.length, access.isOpen, access.isDenied]).toEqual([1, false, true]);
});

test('where nobody knows, or there is no model, nothing is denied', () => {
  const { sent, access } = page();
  access.pick({ model: '', adapter: null });
  expect([sent.length, access.isOpen, access.isDenied]).toEqual([0, false, false]);
  access.pick(BASE);
  access.receive({ type: 'chat', ...BASE, hasTemplate: null });
  expect([access.isOpen, access.isDenied]).toEqual([false, false]);
});
