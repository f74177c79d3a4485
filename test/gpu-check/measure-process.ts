import { type MeasureRequest, measure } from './measure.ts';

const result = await measure(JSON.parse(process.argv[2]!) as MeasureRequest);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
