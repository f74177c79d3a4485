// `npm run bench:generation`
import { runBundled } from '../run-bundled.mjs';

await runBundled({
  main: 'test/bench/generation/main.ts',
  'measure-answer': 'test/bench/generation/measure-answer-process.ts',
});
