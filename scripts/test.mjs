// Runs everything that must hold: types and lint, unit tests, tests that train, tests of the
// product's processes, end-to-end tests in a real VS Code.
// Closes with one line "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const reports = mkdtempSync(path.join(os.tmpdir(), 'lorafa-test-'));
const totals = { passed: 0, failed: 0 };
/** Tests that passed at their second try, by their names. */
const tried = [];

/** Runs an npm script; counts it as one test if it is not a test run itself. */
function run(script, report) {
  console.log(`\n> npm run ${script}`);
  const extra = report === undefined ? [] : ['--', ...reporters(report)];
  const { status } = spawnSync('npm', ['run', '--silent', script, ...extra], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  const counts = report === undefined ? undefined : countsOf(report);
  totals.passed += counts?.numPassedTests ?? (status === 0 ? 1 : 0);
  // A run that fails without a failed test (a broken import, a setup that threw) fails all the same.
  totals.failed += Math.max(counts?.numFailedTests ?? 0, status === 0 ? 0 : 1);
  for (const { assertionResults } of counts?.testResults ?? []) {
    tried.push(...assertionResults.filter(passedLate).map(({ fullName }) => fullName));
  }
}

function passedLate({ status, failureMessages }) {
  return status === 'passed' && failureMessages.length > 0;
}

function reporters(report) {
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
}

function countsOf(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return undefined;
  }
}

// Where oneDNN cannot be had, the tests of products in bfloat16 are skipped, and say so.
spawnSync('npm', ['run', '--silent', 'onednn'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
run('check');
run('test:unit', path.join(reports, 'unit.json'));
run('test:runs', path.join(reports, 'runs.json'));
run('test:processes', path.join(reports, 'processes.json'));
run('test:e2e', path.join(reports, 'e2e.json'));
rmSync(reports, { recursive: true });
for (const name of tried) console.log(`Passed at its second try alone: "${name}"`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;
