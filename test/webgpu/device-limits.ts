import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../engine/errors.ts';
import { newStateTensor } from '../../engine/runtime/new-state-tensor.ts';
import { provokeBufferLimit } from '../../engine/runtime/provoke-buffer-limit.ts';
import { type ConfigChanges, run, TinyRuns } from '../engine/train/tiny-run.ts';

/** What is said where a device is too small. */
export interface RefusedTensors {
  /** Of a tensor that it has no buffer for. */
  readonly tensor: string;
  /** Of a run whose device has small buffers. */
  readonly run: string;
  /** Of a run of a model with experts, which lies in the folder. */
  readonly experts: string;
  /** Types of the events of these runs. */
  readonly events: readonly string[];
}

/** Bytes: less than the tiny model's embeddings. */
const SMALL = 16_384;

/*
 * Asks for more than the device has, which writes its limit to stderr, and trains a tiny model in the folder that is the argument on a device that says
 * that its buffers are small. Prints one line of JSON.
 */
const refusal = async (attempt: () => unknown): Promise<string> => {
  try {
    await attempt();
    return 'nothing';
  } catch (error) {
    return messageOf(error);
  }
};
await writeFile(
  path.join(path.dirname(fileURLToPath(import.meta.url)), 'probe-device.js'),
  `process.stderr.write('Buffer size (99999999) exceeds the max buffer size limit (${SMALL}).')`,
);
provokeBufferLimit();
const tiny = await TinyRuns.create(process.argv[2]!);
const sums = await tiny.file('sums.jsonl', '{ "question": "2+2?", "answer": "4" }');
const events: string[] = [];
const trained = (changes: ConfigChanges): Promise<string> =>
  refusal(() =>
    run(tiny.config({ engine: { device: 'webgpu' }, ...changes }), {
      onEvent: ({ type }) => void events.push(type),
    }),
  );
const result: RefusedTensors = {
  tensor: await refusal(() =>
    newStateTensor({ kind: 'webgpu', index: 0 }, [2 ** 20, 2 ** 20], undefined),
  ),
  run: await trained({}),
  experts: await trained({
    model: { base_model_name_or_path: path.join(process.argv[2]!, 'mixtral') },
    lora: { target_modules: ['q_proj'] },
    // Its tokenizer has no small letters.
    data: { dataset_name_or_path: sums },
  }),
  events,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
