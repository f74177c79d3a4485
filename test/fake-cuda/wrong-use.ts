import { LorafaError } from '../../engine/errors.ts';
import { AdaptersOnDevice, KEPT_ADAPTERS } from '../../engine/generate/adapters-on-device.ts';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { initAdapter } from '../../engine/lora/init-adapter.ts';
import type { LoraModule } from '../../engine/lora/lora-module.ts';
import { CPU, type Device } from '../../engine/runtime/device.ts';
import { deviceMemory } from '../../engine/runtime/device-memory.ts';
import { selfTest } from '../../engine/runtime/device-self-test.ts';
import { newStateTensor } from '../../engine/runtime/new-state-tensor.ts';
import { Session } from '../../engine/runtime/session.ts';
import type { StateTensor } from '../../engine/runtime/state-tensor.ts';

/** What came of a use. */
export interface Use {
  readonly name: string;
  /** Of the error; absent where there was none. */
  readonly code?: string;
  readonly message?: string;
}

/*
 * Uses tensors of the stand-in rightly and wrongly, and prints a line of JSON for each use: nothing of it may
 * end the process.
 */
const CUDA: Device = { kind: 'cuda', index: 0 };
const SHAPE = [2, 3];
const MODULE: LoraModule = {
  ...{ name: 'layer', inFeatures: 8, outFeatures: 8 },
  ...{ fanInFanOut: false, r: 2, loraAlpha: 2, scaling: 1 },
};

function graph() {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', SHAPE);
  return b.finish({ y: b.add(x, b.scalar(1)) });
}

async function tell(name: string, use: () => unknown): Promise<void> {
  let told: Use = { name };
  try {
    await use();
  } catch (error) {
    const code = error instanceof LorafaError ? error.code : 'none';
    told = { name, code, message: (error as Error).message };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

const six = Float32Array.of(1, 2, 3, 4, 5, 6);
const session = await Session.create(graph(), { device: CUDA, threads: 1 });
const onCpu = await Session.create(graph(), { threads: 1 });
const tensor = newStateTensor(CUDA, SHAPE, six);
const bucket = newStateTensor(CUDA, [4, 2, 3]);
const part = bucket.part(6, SHAPE);

await tell('what was written is read', () => {
  part.write(six);
  const whole = bucket.read();
  if (tensor.read().join() !== six.join()) throw new Error(`read ${tensor.read().join()}`);
  if (whole.slice(6, 12).join() !== six.join()) throw new Error(`part is in ${whole.join()}`);
  bucket.clear();
  if (bucket.read().some((number) => number !== 0)) throw new Error('not cleared');
});
await tell('a run in place', () => session.run({ x: tensor }, { y: tensor }));
await tell('numbers of the host in a session of a device', () => session.run({ x: six }));
await tell('the memory that there is', async () => {
  const memory = await deviceMemory(CUDA);
  if (memory?.total !== 80 * 2 ** 30) throw new Error(`there are ${memory?.total} bytes`);
  if (!(memory.free < memory.total)) throw new Error(`${memory.free} bytes are free`);
});
await tell('adapters in use, of which there are more than are kept', () => {
  const adapters = new AdaptersOnDevice(CUDA);
  const given = Array.from({ length: KEPT_ADAPTERS + 2 }, () => initAdapter([MODULE], 0));
  const taken = given.map((weights) => adapters.take([MODULE], weights));
  const read = (index: number): void => {
    for (const tensor of taken[index]!.weights.values()) (tensor as StateTensor).read();
  };
  for (const index of taken.keys()) read(index);
  for (const { release } of taken) release();
  read(taken.length - 1);
  let isThere = true;
  try {
    read(0);
  } catch {
    isThere = false;
  }
  if (isThere) throw new Error('all were kept when nobody used them any more');
  adapters.release();
});
await tell('another number of numbers', () => tensor.write(new Float32Array(5)));
await tell('a part that is not inside', () => bucket.part(20, SHAPE));
await tell('another shape as an input', () => session.run({ x: bucket.part(0, [3, 2]) }));
await tell('another shape as a result', () => session.run({ x: tensor }, { y: bucket }));
await tell('a tensor of a device in a session of the CPU', () => onCpu.run({ x: tensor }));
await tell('a result of the CPU in a tensor of a device', () =>
  onCpu.run({ x: six }, { y: tensor }),
);
bucket.release();
bucket.release();
await tell('a part of what was released', () => part.read());
tensor.release();
await tell('reading after the release', () => tensor.read());
await tell('writing after the release', () => tensor.write(six));
await tell('clearing after the release', () => tensor.clear());
await tell('an input after the release', () => session.run({ x: tensor }));
await tell('a result after the release', () => session.run({ x: six }, { y: tensor }));
await tell('more than the device has', () => newStateTensor(CUDA, [2 ** 40]));
await tell('a device that is not there', () => newStateTensor({ kind: 'cuda', index: 3 }, SHAPE));
await tell('the self-test of devices', () => selfTest(CUDA));
await session.release();
await tell('a session after its release', () => session.run({ x: six }));
await tell('a session of the CPU beside it', () =>
  onCpu.run({ x: newStateTensor(CPU, SHAPE, six) }),
);
