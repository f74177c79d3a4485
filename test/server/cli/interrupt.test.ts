import { afterEach, expect, test, vi } from 'vitest';
import { withInterrupt } from '../../../server/cli/interrupt.ts';

afterEach(() => vi.restoreAllMocks());

test.each([
  ['SIGINT', 400],
  ['SIGTERM', 10],
] as const)(
  'the first Ctrl+C asks for a good end, %s after %d ms ends the process at once',
  async (second, passed) => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const onInterrupt = vi.fn();
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const result = await withInterrupt(onInterrupt, async () => {
      process.emit('SIGINT', 'SIGINT');
      expect(onInterrupt).toHaveBeenCalledTimes(1);
      expect(exit).not.toHaveBeenCalled();
      process.emit('SIGINT', 'SIGINT');
      expect(exit, 'the same request, sent to the group as well').not.toHaveBeenCalled();
      now += passed;
      process.emit(second, second);
      expect(exit).toHaveBeenCalledWith(130);
      return 'done';
    });
    expect(result).toBe('done');
  },
);

test('afterwards signals do what they did before', async () => {
  const before = process.listenerCount('SIGINT');
  const failing = withInterrupt(vi.fn(), () => Promise.reject(new Error('failed')));
  await expect(failing).rejects.toThrow('failed');
  expect(process.listenerCount('SIGINT')).toBe(before);
});
