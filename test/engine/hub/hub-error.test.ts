import { expect, test } from 'vitest';
import { refusal, unreachable } from '../../../engine/hub/hub-error.ts';

const SUBJECT = { title: 'the model a/b', page: 'https://hub.co/a/b', revision: 'main' };

function limited(retryAfter: string | undefined, hasToken: boolean): string {
  const headers = new Headers(retryAfter === undefined ? {} : { 'retry-after': retryAfter });
  return refusal({ status: 429, headers }, { ...SUBJECT, hasToken }, '').message;
}

test.each([
  [undefined, /try again later\.$/],
  ['7', /try again in 7 seconds\.$/],
  ['0', /try again later\.$/],
  ['-5', /try again later\.$/],
  ['1.5', /try again later\.$/],
  ['Thu, 01 Jan 1970 00:00:00 GMT', /try again later\.$/],
  ['Fri, 31 Dec 2100 23:59:59 GMT', /try again in \d{10} seconds\.$/],
])('Retry-After %j', (header, message) => {
  expect(limited(header, true)).toMatch(message);
});

test('signing in raises the limit only for those who are not signed in', () => {
  expect(limited(undefined, false)).toMatch(/later, or sign in \(.*\), which raises the limit\.$/);
});

test('where a hub cannot be reached, what is on this machine is proposed only where it does', () => {
  const said = (worksOffline: boolean): string =>
    unreachable('https://hub.co', new Error('gone'), { worksOffline }).message;
  expect(said(true)).toMatch(/or set HF_HUB_OFFLINE=1 to use only what is on this machine\.$/);
  expect(said(false)).toMatch(/; check the network, and try again\.$/);
});
