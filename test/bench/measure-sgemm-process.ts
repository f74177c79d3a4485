import { measureSgemm } from './sgemm.ts';

process.stdout.write(`${JSON.stringify(await measureSgemm())}\n`);
