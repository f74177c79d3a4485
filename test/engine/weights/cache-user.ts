import { removeFileUnless } from '../../../engine/files/remove.ts';
import { cachedWeights } from '../../../engine/weights/weight-cache.ts';
import { smallWeights } from './small-weights.ts';

/* A program that is in the middle of something with a weight cache until it is killed. */

const [task, cacheFolder, file] = process.argv.slice(2) as [string, string, string];

setInterval(() => undefined, 1000);

const forever = (): Promise<never> => {
  console.log('there');
  return new Promise(() => undefined);
};

switch (task) {
  case 'uses':
    await cachedWeights(smallWeights(), { cacheFolder, onProgress: () => undefined });
    await forever();
    break;
  case 'makes':
    await cachedWeights(smallWeights(forever), { cacheFolder, onProgress: () => undefined });
    break;
  case 'removes':
    await removeFileUnless(file, forever);
    break;
}
