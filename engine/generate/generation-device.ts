import { openBaseModel } from '../models/base-model.ts';
import { deviceForModel } from '../models/device-for-model.ts';
import type { Device } from '../runtime/device.ts';
import type { Nf4Options } from '../weights/nf4-weights.ts';
import { generationQuantization } from './generation-quantization.ts';

/**
 * The device for a model that is to generate; see {@link deviceForModel}.
 *
 * @param found what `chooseDevice` took for the setting
 * @throws LorafaError as `openBaseModel`, where the model matters
 */
export function generationDevice(
  setting: string,
  found: Device,
  location: string,
  nf4: Nf4Options | null,
): Promise<Device> {
  return deviceForModel(setting, found, async () => {
    const quantization = await generationQuantization(found, nf4);
    return openBaseModel(location, { headersOnly: true, quantization });
  });
}
