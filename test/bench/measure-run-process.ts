import { measureRun, type RunRequest } from './measure-run.ts';
import { printResult } from './print-result.ts';

await printResult(() => measureRun(JSON.parse(process.argv[2] ?? '') as RunRequest));
