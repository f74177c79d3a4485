import { parentPort } from 'node:worker_threads';
import { takenJob } from './taken-job.ts';

/** A thread of attention that ends over its first share, before it has said anything of it. */
parentPort?.postMessage('ready');
takenJob();
process.exit();
