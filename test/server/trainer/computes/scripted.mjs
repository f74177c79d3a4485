/**
 * A computing process that trains nothing: it says what it is told to by the run's data path, which
 * is a list of words. It hears requests like the real one.
 */
const started = {
  steps: 4,
  resumedAt: 0,
  stepsPerEpoch: 4,
  trainableParameters: 1,
  totalParameters: 2,
  device: 'cpu',
  compute: 'float32',
  dataset: { train: { rows: 1, tokens: 1, supervisedTokens: 1, truncatedRows: 0, droppedRows: 0 } },
};

const memory = { resident: 1000, peak: 2000 };
const event = (content) => process.send({ type: 'event', event: content, memory });
const step = (number) => event({ type: 'step', step: number, maxSteps: 4, loss: 1 / number });
const leave = (message) => process.send(message, () => process.exit());

const words = {
  progress: () => event({ type: 'progress', task: 'tokenizing', done: 1, total: 2 }),
  started: () => event({ type: 'started', run: started }),
  step: () => step(1),
  checkpoint: () => event({ type: 'checkpoint', step: 1, dir: '/run/checkpoint-1' }),
  warning: () => event({ type: 'warning', message: 'two rows\nwere cut' }),
  completed: () => leave({ type: 'ended', status: 'completed' }),
  failed: () => leave({ type: 'failed', code: 'data.empty', message: 'There is no row.' }),
  exit: () => process.exit(3),
  abort: () => {
    process.stderr.write('terminate called after throwing\n');
    process.kill(process.pid, 'SIGABRT');
  },
  killed: () => process.kill(process.pid, 'SIGKILL'),
  held: () => process.send({ type: 'held', id: 0 }),
  garbage: () => process.send({ garbage: true }),
  // As inside ONNX Runtime: nothing is heard.
  hang: () => {
    for (;;);
  },
  // Waits for requests between steps.
  listen: () => undefined,
};

process.on('message', (message) => {
  switch (message.type) {
    case 'start':
      for (const word of message.config.data.dataset_name_or_path) words[word.split('/').at(-1)]();
      break;
    case 'pause':
      process.send({ type: 'held', id: message.id });
      break;
    case 'resume':
      step(2);
      break;
    case 'checkpoint':
      words.checkpoint();
      break;
    case 'stop':
      words.checkpoint();
      leave({ type: 'ended', status: 'stopped' });
      break;
    case 'cancel':
      leave({ type: 'ended', status: 'cancelled' });
      break;
  }
});
process.on('disconnect', () => process.exit(1));
