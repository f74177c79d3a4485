// `npm run gpu-check`
import { runBundled } from '../bench/run-bundled.mjs';

await runBundled({
  main: 'test/gpu-check/main.ts',
  measure: 'test/gpu-check/measure-process.ts',
  'probe-device': 'engine/runtime/probe-device.ts',
});
