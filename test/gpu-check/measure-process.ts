import { messageOf } from '../../engine/errors.ts';
import { type MeasureRequest, measure } from './measure.ts';

const request = JSON.parse(process.argv[2]!) as MeasureRequest;
const result = await measure(request).catch((error: unknown) => ({ failure: messageOf(error) }));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
