import { matrix, Onednn } from '../../../engine/runtime/onednn.ts';
import type { OnednnLibrary } from '../../../engine/runtime/onednn-library.ts';
import { letThreadsSpin } from '../../../engine/runtime/onednn-threads.ts';
import { Numbers } from '../../../engine/runtime/own-memory.ts';

/*
 * Computes with two threads and ends while the second one looks out for more. The argument is the library.
 */
letThreadsSpin();
const onednn = new Onednn(JSON.parse(process.argv[2]!) as OnednnLibrary);
onednn.useThreads(2);
const SIZE = 512;
const square = matrix('bfloat16', SIZE, SIZE);
const product = onednn.multiply(square, square, matrix('float32', SIZE, SIZE));
const factor = new Numbers('bfloat16', SIZE * SIZE);
const result = new Numbers('float32', SIZE * SIZE);
for (let i = 0; i < 100; i++) product.run([factor.address, factor.address, result.address]);
