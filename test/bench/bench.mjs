// `npm run bench`
import { runBundled } from './run-bundled.mjs';

await runBundled({
  'attention-thread': 'engine/runtime/attention-thread.ts',
  main: 'test/bench/main.ts',
  'measure-run': 'test/bench/measure-run-process.ts',
  'measure-sgemm': 'test/bench/measure-sgemm-process.ts',
});
