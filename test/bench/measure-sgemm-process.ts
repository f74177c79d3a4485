import { printResult } from './print-result.ts';
import { measureSgemm } from './sgemm.ts';

await printResult(measureSgemm);
