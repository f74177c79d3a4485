import { AttentionThreads } from '../../../../engine/runtime/attention-threads.ts';
import type { OnednnLibrary } from '../../../../engine/runtime/onednn-library.ts';

/** Starts threads of attention by their program and oneDNN's library, says how many there are, and ends. */
const [thread, library] = process.argv.slice(2) as [string, string];
const threads = new AttentionThreads(JSON.parse(library) as OnednnLibrary, thread);
await threads.start(3);
const started = [0, 1, 2].filter((index) => threads.at(index) !== undefined);
process.stdout.write(`${started.length} threads\n`);
