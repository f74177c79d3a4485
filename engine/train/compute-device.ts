import type { ResolvedConfig } from '../config/schema.ts';
import type { Device } from '../runtime/device.ts';
import { chooseDevice } from '../runtime/devices.ts';
import { requireInt8 } from '../runtime/int8-self-test.ts';

/**
 * The device of a configuration, on which products are computed as it says.
 *
 * @throws LorafaError `device.unavailable`
 */
export async function chooseComputeDevice({
  engine,
}: Pick<ResolvedConfig, 'engine'>): Promise<Device> {
  const device = await chooseDevice(engine.device);
  if (engine.compute !== 'float32' && engine.compute !== 'auto') await requireInt8(device);
  return device;
}
