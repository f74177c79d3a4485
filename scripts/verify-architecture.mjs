// Compares the engine with transformers and PEFT on a tiny random model of any config.json:
//     npm run verify-architecture -- CONFIG.json
// LORAFA_REFERENCE_PYTHON names a Python with test/reference/requirements.txt; python3 unless given.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const [config] = process.argv.slice(2);
if (config === undefined) {
  console.error('Give the path of a config.json: npm run verify-architecture -- CONFIG.json');
  process.exit(2);
}

const golden = mkdtempSync(path.join(os.tmpdir(), 'lorafa-verify-'));
const env = { ...process.env, LORAFA_GOLDEN: golden };

/** Whether a command ended well. */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (error !== undefined) console.error(`${command} could not be started: ${error.message}`);
  return status === 0;
}

/** Whether the tests of the model pass; a file of its own each, since of several Vitest leaves out what no project has. */
function passes(test) {
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=verbose',
    '--testTimeout=300000',
  ];
  return run(process.execPath, [...vitest, '-t', 'verified', test]);
}

const python = process.env.LORAFA_REFERENCE_PYTHON ?? 'python3';
const isEqual =
  run(python, ['test/reference/verify_architecture.py', config]) &&
  passes('test/engine/generate/logits.test.ts') &&
  passes('test/engine/train/parity.test.ts');
rmSync(golden, { recursive: true });
process.exitCode = isEqual ? 0 : 1;
