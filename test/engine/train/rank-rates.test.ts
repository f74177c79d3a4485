import { expect, test } from 'vitest';
import { RankRates } from '../../../engine/train/rank-rates.ts';
import { journalLine } from '../../../engine/train/run-folder.ts';

const share = (device: string, memory: number, tokens: number) => ({ device, memory, tokens });

test('each process has its part of the tokens since the last report', () => {
  const rates = new RankRates();
  rates.add([share('cuda:0', 10, 30), share('cuda:1', 20, 10)], 40);
  const latest = [share('cuda:0', 11, 30), share('cuda:1', 21, 30)];
  rates.add(latest, 60);
  expect(rates.report(latest, 200)).toEqual([
    { device: 'cuda:0', memory: 11, tokens_per_second: 120 },
    { device: 'cuda:1', memory: 21, tokens_per_second: 80 },
  ]);
  const last = [share('cuda:0', 12, 0), share('cuda:1', 22, 5)];
  rates.add(last, 5);
  expect(rates.report(last, 50).map((rank) => rank.tokens_per_second)).toEqual([0, 50]);
});

test('two of the four processes of a run on two machines have their part of what all learn', () => {
  const rates = new RankRates();
  const here = [share('cuda:0', 10, 30), share('cuda:1', 20, 10)];
  rates.add(here, 100);
  expect(rates.report(here, 200).map((rank) => rank.tokens_per_second)).toEqual([60, 20]);
});

test("a journal's memory is that of all processes on the host, without that of GPUs", () => {
  const step = { ...{ step: 1, maxSteps: 1, epoch: 0, loss: 1, grad_norm: 1, learning_rate: 1 } };
  const memoryWith = (device: string): number => {
    const ranks = [{ device, memory: 2 ** 50, tokens_per_second: 1 }];
    const event = { type: 'step', ...step, num_tokens: 1, tokens_per_second: 1, ranks } as const;
    return (JSON.parse(journalLine(event)) as { memory: number }).memory;
  };
  expect(memoryWith('cpu')).toBeGreaterThan(2 ** 50);
  expect(memoryWith('cuda:0')).toBeLessThan(2 ** 50);
});
