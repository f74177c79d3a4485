import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { readResultLines, writeBenchmarks } from './benchmarks-file.ts';
import { withGeneratedSection } from './generated-section.ts';
import { groupTable } from './group-table.ts';
import { reaches } from './reach.ts';
import type { ResultLine, RowResult } from './row-result.ts';
import { benchGroups } from './rows.ts';
import { scalingPlots } from './scaling-plots.ts';
import { spread } from './statistics.ts';

function row(name: string, group: string, changes: Partial<RowResult> = {}): RowResult {
  return {
    name,
    group,
    label: name,
    step_ms: 1500,
    step_ms_min: 1400.4,
    step_ms_max: 1710,
    tokens_per_second: 341.3,
    peak_rss_bytes: 1.25e9,
    peak_rss_bytes_min: 1.2e9,
    peak_rss_bytes_max: 1.3e9,
    peak_anonymous_bytes: 1e9,
    pss_bytes: 1.1e9,
    sgemm_fraction: 0.625,
    first_loss: 10.9,
    last_loss: 10.8,
    activation_bytes: 773e6,
    lora_input_bytes: 200e6,
    predicted_bytes: 1.22e9,
    pss_growth: 0,
    pss_excess: 0.05,
    compute: 'float32',
    gradient_errors: null,
    gradient_error: null,
    samples: 2,
    steps: 6,
    ...changes,
  };
}

test('a spread is least, middle and most', () => {
  expect(spread([5, 1, 3])).toEqual({ min: 1, median: 3, max: 5 });
  expect(spread([4, 1, 2, 10])).toEqual({ min: 1, median: 3, max: 10 });
});

test('a table shows medians with their spread, and why a row is missing', () => {
  const lines: ResultLine[] = [
    { name: 'sgemm', group: 'g', gflops: 190 },
    row('a', 'g'),
    row('peft', 'g', { activation_bytes: null, predicted_bytes: null, sgemm_fraction: null }),
    { name: 'b', group: 'g', label: 'int8', error: 'No such setting.\nMore.' },
  ];
  const table = groupTable(lines);
  const cells = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  expect(cells[2]!.slice(1, -1)).toEqual([
    'a',
    '1,500 (1,400 to 1,710)',
    '341',
    '63 %',
    '1,250 (1,200 to 1,300)',
    '1,000',
    '773',
    '1,220',
    '',
    '2 × 3',
  ]);
  expect(cells[3]!.slice(4, 9)).toEqual(['', '1,250 (1,200 to 1,300)', '1,000', '', '']);
  expect(table).toContain('\nNot measured: int8 (No such setting.)\n');
  expect(new Set(table.split('\n', 4).map((line) => line.length)).size).toBe(1);
});

test('a mode that was chosen is named, and what each does to gradients', () => {
  const gradient_errors = { float32: 0, int8: 0.0412 };
  const table = groupTable([
    row('auto', 'g', { compute: 'int8', gradient_errors }),
    row('float32', 'g'),
    row('bfloat16', 'g', { compute: 'bfloat16' }),
    row('peft', 'g', { compute: null, gradient_error: 0.0123 }),
  ]);
  expect(table).toContain('| auto (chose int8) |');
  const cells = table.split('\n').map((line) => line.split('|').at(-3)?.trim());
  expect(cells.slice(2, 6)).toEqual(['4.1e-2', '0.0e+0', '', '1.2e-2']);
});

describe('the generated section', () => {
  const file = '# Benchmarks\n\nBy hand.\n';

  test('comes last where there is none, and the rest of the file stays', () => {
    const first = withGeneratedSection(file, '## One\n');
    expect(first.startsWith(file)).toBe(true);
    const edited = `${first}\nMore by hand.\n`;
    const second = withGeneratedSection(edited, '## Two\n');
    expect(second).toBe(edited.replace('## One', '## Two'));
  });

  test('is the same when written twice', () => {
    const once = withGeneratedSection(file, 'Text with $1 and $& in it.');
    expect(withGeneratedSection(once, 'Text with $1 and $& in it.')).toBe(once);
  });

  test('is not written between marks of which one is missing', () => {
    const broken = withGeneratedSection(file, 'x').replace('<!-- End', '<!-- end');
    expect(() => withGeneratedSection(broken, 'y')).toThrow('One of the marks');
  });
});

test('results become the generated section and pictures, the same ones each time', async () => {
  const root = await tempFolder();
  const file = path.join(root, 'BENCHMARKS.md');
  await writeFile(file, '# Benchmarks\n\nBy hand.\n');
  const results = path.join(root, 'results.jsonl');
  const lines = [row('batch-1', 'batch'), row('batch-2', 'batch', { tokens_per_second: 500 })];
  const printed = ['> lorafa bench', ...lines.map((line) => JSON.stringify(line))];
  await writeFile(results, printed.join('\n'));
  const write = async () => writeBenchmarks(root, benchGroups(), await readResultLines(results));
  await write();
  const written = await readFile(file, 'utf8');
  expect(written).toMatch(/^# Benchmarks\n\nBy hand\.\n/);
  expect(written).toContain('| batch-2 |');
  const [, picture] = /!\[[^\]]*\]\(([^)]*)\)/.exec(written)!;
  expect(await readFile(path.join(root, picture!), 'utf8')).toMatch(/^<svg /);
  await write();
  expect(await readFile(file, 'utf8')).toBe(written);
});

describe('what was reached', () => {
  function verdict(lines: readonly ResultLine[], aim: RegExp) {
    const found = reaches(lines).filter((each) => aim.test(each.aim));
    expect(found).toHaveLength(1);
    return found[0]!;
  }
  const shape = '135m-1x512';
  const peft = row(`${shape}-peft-float32`, shape, {
    tokens_per_second: 200,
    peak_rss_bytes: 2.5e9,
  });

  test('stays open without the rows that it needs', () => {
    expect(reaches([]).every(({ passed }) => passed === undefined)).toBe(true);
    expect(verdict([row(`${shape}-none`, shape)], /1x512: a float32 mode/).passed).toBe(undefined);
  });

  test('wants one float32 mode to be faster and leaner at once', () => {
    const fast = row(`${shape}-none`, shape, { tokens_per_second: 300, peak_rss_bytes: 2e9 });
    const lean = row(`${shape}-layer`, shape, { tokens_per_second: 210, peak_rss_bytes: 0.8e9 });
    const both = row(`${shape}-attention`, shape, {
      tokens_per_second: 270,
      peak_rss_bytes: 1.2e9,
    });
    const aim = /1x512: a float32 mode/;
    expect(verdict([peft, fast, lean], aim).passed).toBe(false);
    expect(verdict([peft, fast, lean, both], aim)).toMatchObject({
      passed: true,
      measured: expect.stringContaining(`${shape}-attention 1.35 x tokens/s, 0.48 x memory`),
    });
  });

  test('wants bfloat16 to be faster and leaner than the fastest setting of PEFT', () => {
    const ours = row(`${shape}-bfloat16`, shape, { tokens_per_second: 400, peak_rss_bytes: 1e9 });
    const bfloat16 = row(`${shape}-peft-bfloat16`, shape, {
      tokens_per_second: 260,
      peak_rss_bytes: 2e9,
    });
    const aim = /1x512: bfloat16 with/;
    expect(verdict([peft, ours], aim).passed).toBe(true);
    expect(verdict([peft, ours, bfloat16], aim)).toMatchObject({
      passed: true,
      measured: `${shape}-bfloat16 1.54 x tokens/s, 0.50 x memory (${shape}-peft-bfloat16 = 1)`,
    });
    const large = { ...ours, peak_rss_bytes: 1.3e9 };
    expect(verdict([peft, large, bfloat16], aim).passed).toBe(false);
    const slow = { ...ours, tokens_per_second: 380 };
    expect(verdict([peft, slow, bfloat16], aim).passed).toBe(false);
  });

  test('holds the bytes of LoRA-FA to theory, and its time to that of LoRA', () => {
    const pair = (bytes: number, milliseconds: number): RowResult[] => [
      row('lora-r16-qv-none-lora', 'lora', { activation_bytes: 900, lora_input_bytes: 100 }),
      row('lora-r16-qv-none-lorafa', 'lora', { activation_bytes: bytes, step_ms: milliseconds }),
    ];
    expect(verdict(pair(800, 1450), /keeps exactly/).passed).toBe(true);
    expect(verdict(pair(801, 1450), /keeps exactly/).passed).toBe(false);
    expect(verdict(pair(800, 1450), /never slower/).passed).toBe(true);
    expect(verdict(pair(800, 1600), /never slower/).passed).toBe(false);
  });

  test('bounds memory and its growth', () => {
    const flat = (pss_growth: number) => [row('flat-memory', 'flat-memory', { pss_growth })];
    expect(verdict(flat(0.019), /500 steps/).passed).toBe(true);
    expect(verdict(flat(0.021), /500 steps/).passed).toBe(false);
    const large = row('1.1b-1x256-layer', '1.1b-1x256', { peak_anonymous_bytes: 3.6e9 });
    expect(verdict([large], /1.1B in bfloat16/)).toMatchObject({ passed: false });
  });

  test('counts the predictions within a tenth of the peak', () => {
    const rows = (predictions: readonly number[]) =>
      predictions.map((predicted_bytes, index) =>
        row(`r${index}`, 'g', { predicted_bytes, peak_rss_bytes: 100 }),
      );
    expect(verdict(rows([91, 109, 100, 100, 100, 95, 200]), /plan/)).toMatchObject({
      passed: true,
      measured: '6 of 7, worst 100 % (r6)',
    });
    expect(verdict(rows([80, 109, 100, 100, 100, 95, 200]), /plan/).passed).toBe(false);
  });
});

test('a picture of a group has a line for each mode, by rising size', () => {
  const rows = [512, 128, 256].flatMap((length) =>
    ['none', 'layer'].map((mode) =>
      row(`length-${length}-${mode}`, 'length', { tokens_per_second: 300 + length }),
    ),
  );
  const [plot, ...others] = scalingPlots([...rows, row('rank-8', 'rank')]);
  expect(others).toEqual([]);
  expect(plot!.group).toBe('length');
  const lines = [...plot!.svg.matchAll(/<polyline [^>]*points="([^"]*)"/g)].map(([, points]) =>
    points!.split(' ').map((point) => point.split(',').map(Number)),
  );
  // Two modes in each of two charts.
  expect(lines).toHaveLength(4);
  for (const line of lines) {
    expect(line).toHaveLength(3);
    expect(line.flat().every(Number.isFinite)).toBe(true);
    expect(line.map(([x]) => x)).toEqual(line.map(([x]) => x).toSorted((a, b) => a! - b!));
  }
  // More tokens per second are further up.
  expect(lines[0]!.map(([, y]) => y)).toEqual(
    lines[0]!.map(([, y]) => y).toSorted((a, b) => b! - a!),
  );
  expect(plot!.svg).toContain('prefers-color-scheme: dark');
});
