import { afterEach, expect, test, vi } from 'vitest';
import { withInterrupt } from '../../../server/cli/interrupt.ts';

afterEach(() => vi.restoreAllMocks());

test('the first Ctrl+C asks for a good end, the second ends the process at once', async () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const onInterrupt = vi.fn();
  const result = await withInterrupt(onInterrupt, async () => {
    process.emit('SIGINT');
    expect(onInterrupt).toHaveBeenCalledTimes(1);
    expect(exit).not.toHaveBeenCalled();
    process.emit('SIGTERM');
    expect(exit).toHaveBeenCalledWith(130);
    return 'done';
  });
  expect(result).toBe('done');
});

test('afterwards signals do what they did before', async () => {
  const before = process.listenerCount('SIGINT');
  const failing = withInterrupt(vi.fn(), () => Promise.reject(new Error('failed')));
  await expect(failing).rejects.toThrow('failed');
  expect(process.listenerCount('SIGINT')).toBe(before);
});
