import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { ChildEnded, ConnectedChild } from '../../../server/rpc/connected-child.ts';
import { request } from '../../../server/rpc/message.ts';

const echo = request<{ text: string }>()('echo', z.object({ text: z.string() }));
const die = request<null>()('die', z.object({}));

function startChild(): ConnectedChild {
  const child = new ConnectedChild(path.join(import.meta.dirname, 'children/echo.mjs'));
  onTestFinished(async () => {
    child.kill();
    await child.ended;
  });
  child.connection.listen();
  return child;
}

/** Collects garbage. */
function collect(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}

test('an answer is kept by nobody but the one who asked', async () => {
  const child = startChild();
  const answers: WeakRef<object>[] = [];
  for (let number = 0; number < 20; number++) {
    answers.push(new WeakRef(await child.ask(echo, { text: `${number}` })));
    await setImmediate();
  }
  await expect
    .poll(() => {
      collect();
      return answers.filter((answer) => answer.deref() !== undefined).length;
    })
    // The connection itself may hold on to the last one.
    .toBeLessThanOrEqual(1);
});

test('all who wait are told of the end, and those who ask after it', async () => {
  const child = startChild();
  expect(await child.ask(echo, { text: 'a' })).toEqual({ text: 'a' });
  const ends = [child.ask(die, {}), child.ask(die, {})];
  for (const end of ends) await expect(end).rejects.toThrow(ChildEnded);
  await expect(child.ask(echo, { text: 'b' })).rejects.toThrow('exit code 3');
});
