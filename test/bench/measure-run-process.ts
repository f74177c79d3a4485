import { measureRun, type RunRequest } from './measure-run.ts';

const request = JSON.parse(process.argv[2] ?? '') as RunRequest;
process.stdout.write(`${JSON.stringify(await measureRun(request))}\n`);
