import { expect, test, vi } from 'vitest';
import { areBlockwiseProductsExact } from '../../../engine/runtime/blockwise-self-test.ts';
import { Session } from '../../../engine/runtime/session.ts';

test('a trial that fails says nothing of the processor, and what one says is kept', async () => {
  const created = vi.spyOn(Session, 'create').mockRejectedValueOnce(new Error('no memory'));
  await expect(areBlockwiseProductsExact()).rejects.toThrow('no memory');
  const exact = await areBlockwiseProductsExact();
  expect(await areBlockwiseProductsExact()).toBe(exact);
  expect(created).toHaveBeenCalledTimes(2);
  created.mockRestore();
});
