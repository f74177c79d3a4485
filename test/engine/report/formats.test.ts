import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { crc32c } from '../../../engine/report/crc32c.ts';
import { metricLine } from '../../../engine/report/mlflow-store.ts';
import {
  scalarEvent,
  sessionStartEvent,
  textEvent,
  versionEvent,
} from '../../../engine/report/tensorboard-event.ts';
import { tfRecord } from '../../../engine/report/tfrecord.ts';
import { WandbLog } from '../../../engine/report/wandb-log.ts';
import {
  encodeRecord,
  exitRecord,
  headerRecord,
  historyRecord,
  runRecord,
  stepMetricRecords,
  summaryRecord,
} from '../../../engine/report/wandb-record.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';

/* What is written here is what the published packages write (`test/reference/make_reports_golden.py`). */

interface Scalar {
  readonly time: number;
  readonly step: number;
  readonly name: string;
  readonly value: number;
}

const golden = goldenJson<{
  readonly time: number;
  readonly start: { readonly time: number; readonly step: number };
  readonly scalars: readonly Scalar[];
  readonly text: { time: number; step: number; name: string; markdown: string };
  readonly histories: readonly (Readonly<Record<string, number>> & { readonly _step: number })[];
}>('reports', 'events.json');

function goldenBytes(...parts: readonly string[]): Buffer {
  return readFileSync(goldenPath('reports', ...parts));
}

test('the checksum is that of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
});

test('events are written as TensorBoard and PyTorch write them, byte for byte', () => {
  const { time, start, scalars, text } = golden;
  const events = [
    versionEvent(time),
    sessionStartEvent(start),
    ...scalars.map((each) => scalarEvent(each, each.name, each.value)),
    textEvent(text, text.name, text.markdown),
  ];
  expect(Buffer.concat(events.map(tfRecord))).toEqual(goldenBytes('tensorboard.bin'));
});

test('values of metrics are those that MLflow writes', () => {
  const fields = (lines: string): readonly number[][] =>
    lines
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
  for (const name of ['loss', 'learning_rate', 'num_tokens']) {
    const written = golden.scalars
      .filter((each) => each.name.endsWith(`/${name}`))
      .map(({ time, value, step }) => `${metricLine(time, value, step)}\n`)
      .join('');
    expect(fields(written)).toEqual(fields(String(goldenBytes('mlflow', 'metrics', name))));
  }
});

test('records and their container are those of W&B, byte for byte', () => {
  const { histories, time } = golden;
  const records = [
    headerRecord('lorafa', '0.70.0'),
    runRecord({
      id: '0123abcd',
      project: 'lorafa',
      name: 'Zürich',
      config: { lora: { r: 2 } },
      start: time,
    }),
    ...stepMetricRecords('train/global_step'),
    ...histories.flatMap((values) => {
      const { 'samples/1': length } = values;
      const history =
        length === undefined ? values : { ...values, 'samples/1': 'x'.repeat(length) };
      const record = historyRecord(values._step, history);
      return length === undefined ? [record, summaryRecord(history)] : [record];
    }),
    exitRecord(255, 7),
  ];
  const log = new WandbLog();
  const bytes = records.map((record, index) => log.record(encodeRecord(index + 1, record)));
  expect(Buffer.concat(bytes).equals(goldenBytes('wandb.bin'))).toBe(true);
});
