// `npm run bench:curves`
import { runBundled } from '../run-bundled.mjs';

await runBundled({ main: 'test/bench/curves/main.ts' });
