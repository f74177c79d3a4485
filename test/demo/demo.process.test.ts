import path from 'node:path';
import { expect, test } from 'vitest';
import { loadAdapter } from '../../engine/lora/load-adapter.ts';
import { openBaseModel } from '../../engine/models/base-model.ts';
import { runDemo } from '../../server/demo/demo.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('the demo teaches what the base model cannot do', { timeout: 300_000 }, async () => {
  const outputDir = path.join(await tempFolder(), 'run');
  let shown = '';
  const result = await runDemo({
    configFile: path.resolve('media/demo/demo.lorafa.json'),
    outputDir,
    report: {
      write: (text) => {
        shown += text;
      },
      columns: undefined,
      now: () => performance.now() / 1000,
    },
  });
  expect(result.before_accuracy).toBeLessThan(0.1);
  expect(result.after_accuracy - result.before_accuracy).toBeGreaterThanOrEqual(0.5);
  expect(result.adapter_dir).toBe(outputDir);
  expect(shown).toContain('before ✗');
  expect(shown).toContain('after  ✓');
  const { config } = await openBaseModel(path.resolve('media/demo/base'));
  const adapter = await loadAdapter(outputDir, config);
  expect(adapter.matched).toBe(adapter.total);
});
