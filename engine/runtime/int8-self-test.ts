import { LorafaError } from '../errors.ts';
import { INT8_MAX, ZERO_POINT } from '../formats/int8.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { type Device, formatDevice } from './device.ts';
import { Session } from './session.ts';

/** Numbers that are added up: more than one vector register takes. */
const SIZE = 256;

/** The largest code of rows. */
const LARGEST_ROW = 255;

/**
 * Makes sure that products in eight bits are fast and exact on a device. Graphics cards have no
 * kernels for them, and x86 processors without VNNI add neighbouring products in sixteen bits,
 * where large ones do not fit.
 *
 * @throws LorafaError `device.unavailable`
 */
export async function requireInt8(device: Device): Promise<void> {
  if (device.kind !== 'cpu') {
    throw new LorafaError(
      'device.unavailable',
      `Products in eight bits need a CPU, and the model runs on ${formatDevice(device)}; set engine.compute to "${device.kind === 'cuda' ? 'bfloat16' : 'float32'}", or engine.device to "cpu".`,
    );
  }
  if (!(await isExact())) {
    throw new LorafaError(
      'device.unavailable',
      'This processor does not add up products in eight bits exactly (it has neither VNNI nor AMX); set engine.compute to "float32".',
    );
  }
}

async function isExact(): Promise<boolean> {
  const builder = new GraphBuilder();
  const rows = builder.input('rows', 'uint8', [1, SIZE]);
  const codes = builder.constant(Array(SIZE).fill(INT8_MAX), [SIZE, 1], 'int8');
  const sum = builder.apply('matmulInteger', [rows, codes], {});
  const session = await Session.create(builder.finish({ sum }), { threads: 1 });
  const results = await session.run({ rows: new Uint8Array(SIZE).fill(LARGEST_ROW) });
  await session.release();
  return results['sum']!.data[0] === SIZE * (LARGEST_ROW - ZERO_POINT) * INT8_MAX;
}
