import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { integer, message, text } from '../formats/protobuf-writer.ts';

/** Records of W&B's transaction logs (`wandb/proto/wandb_internal.proto`), as far as they are written here. */

/** Field numbers. */
const FIELD = {
  record: { num: 1, history: 2, summary: 3, metric: 12, run: 17, exit: 18, header: 21 },
  header: { versionInfo: 1 },
  versionInfo: { producer: 1, minConsumer: 2 },
  run: { id: 1, project: 3, config: 4, displayName: 8, startTime: 17, resume: 24 },
  items: { update: 1 },
  item: { key: 1, valueJson: 16 },
  time: { seconds: 1, nanos: 2 },
  metric: { name: 1, globName: 2, stepMetric: 4, options: 6 },
  options: { stepSync: 1, defined: 3 },
  history: { item: 1, step: 2 },
  step: { num: 1 },
  exit: { code: 1, runtime: 2 },
} as const;

/** The fields of a record, without its number. */
export type WandbRecord = (writer: BinaryWriter) => void;

/** Values as W&B keeps them, each as JSON. */
export type WandbValues = Readonly<Record<string, unknown>>;

/** A record as bytes. @param num counts from 1 */
export function encodeRecord(num: number, record: WandbRecord): Uint8Array {
  const writer = new BinaryWriter();
  integer(writer, FIELD.record.num, num);
  record(writer);
  return writer.finish();
}

/** What comes first: by whom the log is, and the oldest edition of W&B that reads it. */
export function headerRecord(producer: string, minConsumer: string): WandbRecord {
  return (writer) =>
    message(writer, FIELD.record.header, () =>
      message(writer, FIELD.header.versionInfo, () => {
        text(writer, FIELD.versionInfo.producer, producer);
        text(writer, FIELD.versionInfo.minConsumer, minConsumer);
      }),
    );
}

/** A run; one that is known by its id goes on. */
export interface WandbRun {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly config: WandbValues;
  /** Milliseconds since 1970. */
  readonly start: number;
}

export function runRecord({ id, project, name, config, start }: WandbRun): WandbRecord {
  return (writer) =>
    message(writer, FIELD.record.run, () => {
      text(writer, FIELD.run.id, id);
      text(writer, FIELD.run.project, project);
      message(writer, FIELD.run.config, () => items(writer, FIELD.items.update, config));
      text(writer, FIELD.run.displayName, name);
      message(writer, FIELD.run.startTime, () => {
        integer(writer, FIELD.time.seconds, Math.floor(start / 1000));
        number(writer, FIELD.time.nanos, (start % 1000) * 1_000_000);
      });
      number(writer, FIELD.run.resume, 1);
    });
}

/** Curves are drawn over a value of that name. */
export function stepMetricRecords(name: string): readonly WandbRecord[] {
  return [
    (writer) =>
      message(writer, FIELD.record.metric, () => {
        text(writer, FIELD.metric.name, name);
        message(writer, FIELD.metric.options, () => number(writer, FIELD.options.defined, 1));
      }),
    (writer) =>
      message(writer, FIELD.record.metric, () => {
        text(writer, FIELD.metric.globName, '*');
        text(writer, FIELD.metric.stepMetric, name);
        message(writer, FIELD.metric.options, () => {
          number(writer, FIELD.options.stepSync, 1);
          number(writer, FIELD.options.defined, 1);
        });
      }),
  ];
}

/** What was measured together. @param step counts the histories of this log, from 0 */
export function historyRecord(step: number, values: WandbValues): WandbRecord {
  return (writer) =>
    message(writer, FIELD.record.history, () => {
      items(writer, FIELD.history.item, values);
      message(writer, FIELD.history.step, () => number(writer, FIELD.step.num, step));
    });
}

/** The latest value of each name. */
export function summaryRecord(values: WandbValues): WandbRecord {
  return (writer) =>
    message(writer, FIELD.record.summary, () => items(writer, FIELD.items.update, values));
}

/** The end of a session. @param seconds whole ones */
export function exitRecord(code: number, seconds: number): WandbRecord {
  return (writer) =>
    message(writer, FIELD.record.exit, () => {
      number(writer, FIELD.exit.code, code);
      number(writer, FIELD.exit.runtime, seconds);
    });
}

function items(writer: BinaryWriter, field: number, values: WandbValues): void {
  for (const [key, value] of Object.entries(values)) {
    message(writer, field, () => {
      text(writer, FIELD.item.key, key);
      text(writer, FIELD.item.valueJson, toJson(value));
    });
  }
}

/** W&B reads what is not finite by the names that Python's `json` gives it. */
function toJson(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** A number that is left out where it is zero, as everywhere in this edition of Protocol Buffers. */
function number(writer: BinaryWriter, field: number, value: number): void {
  if (value !== 0) integer(writer, field, value);
}
