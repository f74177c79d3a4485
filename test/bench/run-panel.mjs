// How long an update of the run panel keeps its page busy: a run of 100,000 steps is on screen and
// 20 more events come in each second. Prints one line of JSON; needs `npm run build` and Chromium.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const STEPS = 100_000;
const EVENTS_PER_SECOND = 20;
const SECONDS = 15;
/** Points that one message of the history carries, as the server's pieces of 256 KiB do. */
const STEPS_PER_MESSAGE = 1_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.setContent(await panelHtml());
  const devtools = await page.context().newCDPSession(page);
  // Time of the page's main thread itself: a busy machine does not count against the page.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busyMilliseconds = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value;
  };

  let before = await busyMilliseconds();
  await page.evaluate(sendHistory, { STEPS, STEPS_PER_MESSAGE });
  const history = (await busyMilliseconds()) - before;
  const updates = [];
  for (let count = 1; count <= EVENTS_PER_SECOND * SECONDS; count += 1) {
    before = await busyMilliseconds();
    await page.evaluate(sendUpdate, { STEPS, step: STEPS + count });
    updates.push((await busyMilliseconds()) - before);
    await setTimeout(1000 / EVENTS_PER_SECOND);
  }
  updates.sort((a, b) => a - b);
  const quantile = (share) => round(updates[Math.floor(share * (updates.length - 1))]);
  console.log(
    JSON.stringify({
      steps: STEPS,
      events_per_second: EVENTS_PER_SECOND,
      updates: updates.length,
      history_ms: round(history),
      // Script, style, layout and recording of the picture for one event.
      update_median_ms: quantile(0.5),
      update_p95_ms: quantile(0.95),
      update_max_ms: quantile(1),
    }),
  );
} finally {
  await browser.close();
}

/** The page as the extension makes it, with a channel that leads nowhere. */
async function panelHtml() {
  const script = await readFile('out/media/run-panel.js', 'utf8');
  const style = await readFile('out/media/run-panel.css', 'utf8');
  const texts = JSON.stringify(await panelTexts())
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;');
  const channel = 'acquireVsCodeApi = () => ({ postMessage() {}, setState() {}, getState() {} });';
  return `<!DOCTYPE html><html lang="en"><style>${style}</style><body data-texts="${texts}">
    <script>${channel}</script><script type="module">${script.replaceAll('</script', '<\\/script')}</script>`;
}

async function panelTexts() {
  const { outputFiles } = await build({
    entryPoints: ['extension/runs/run-panel-texts.ts'],
    bundle: true,
    format: 'esm',
    write: false,
    alias: { vscode: path.resolve('test/support/vscode-words.ts') },
  });
  const { contents } = outputFiles[0];
  const url = `data:text/javascript;base64,${Buffer.from(contents).toString('base64')}`;
  return (await import(url)).runPanelTexts();
}

/** In the page: sends the whole history and resolves when it is drawn. */
async function sendHistory({ STEPS, STEPS_PER_MESSAGE }) {
  globalThis.rowsOf = (first, count) =>
    Float64Array.from({ length: 7 * count }, (_, index) => {
      const step = first + Math.floor(index / 7);
      const loss = 1 + 5 * Math.exp(-step / 2e4) + Math.random();
      const evaluation = step % 1000 === 0 ? loss : Number.NaN;
      return [step, loss, evaluation, 3e-4, Math.random(), 900 * Math.random(), 2e9][index % 7];
    });
  globalThis.send = (data) => window.dispatchEvent(new MessageEvent('message', { data }));
  for (let step = 1; step <= STEPS; step += STEPS_PER_MESSAGE) {
    const rows = globalThis.rowsOf(step, STEPS_PER_MESSAGE);
    globalThis.send({ type: 'rows', isStart: step === 1, rows });
  }
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/** In the page: tells of one step as the extension does, and resolves when it is drawn. */
async function sendUpdate({ STEPS, step }) {
  const since = new Date().toISOString();
  const status = {
    ...{ state: 'running', since, reason: null, progress: null, step, maxSteps: 2 * STEPS },
    ...{ loss: 1, evalLoss: 1, device: 'cpu', etaSeconds: 600, checkpoint: null },
    ...{ memory: { resident: 2e9, peak: 3e9 }, waitsFor: null, heard: since },
  };
  const run = {
    ...{ folder: '/runs/long', name: 'long', configFile: null, status },
    ...{ isLive: true, isSteerable: true, checkpoints: [], problem: null },
  };
  globalThis.send({ type: 'rows', isStart: false, rows: globalThis.rowsOf(step, 1) });
  globalThis.send({
    ...{ type: 'run', run, stateLabel: 'Running', description: '50%', timeLeft: '10 min' },
    abilities: { canPause: true, canStop: true, canCheckpoint: true, canDiscard: true },
  });
  const lines = [{ time: since, level: 'info', text: `step ${step}` }];
  globalThis.send({ type: 'log', isStart: false, lines });
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

function round(milliseconds) {
  return Math.round(milliseconds * 10) / 10;
}
