import * as vscode from 'vscode';
import type { AdapterTask } from '../models/adapter-commands.ts';

/** Words of the run panel and the comparison, in the user's language. `{0}` stands for a value. */
export function chartTexts() {
  return {
    loss: vscode.l10n.t('Loss'),
    eval_loss: vscode.l10n.t('Evaluation loss'),
    trainingLossSmoothed: vscode.l10n.t('Training loss, smoothed'),
    training: vscode.l10n.t('training'),
    smoothed: vscode.l10n.t('smoothed'),
    evaluation: vscode.l10n.t('evaluation'),
    eachStep: vscode.l10n.t('each step'),
    learning_rate: vscode.l10n.t('Learning rate'),
    grad_norm: vscode.l10n.t('Gradient norm'),
    tokens_per_second: vscode.l10n.t('Tokens per second'),
    memory: vscode.l10n.t('Memory'),
    step: vscode.l10n.t('Step'),
    stepNumber: vscode.l10n.t('Step {0}'),
    smoothing: vscode.l10n.t('Smoothing'),
    smoothingHint: vscode.l10n.t(
      'Weight of earlier values in the smoothed line. It looks back over an eighth of them at most, so that of ten or so nothing is smoothed.',
    ),
    logScale: vscode.l10n.t('Log scale'),
    chartHelp: vscode.l10n.t(
      'Drag to zoom, double-click to reset. Keys: arrows move, + and − zoom, 0 resets.',
    ),
    chartSummary: vscode.l10n.t('{0}: {1} at step {2}, lowest {3} at step {4}, {5} points.'),
    chartEmpty: vscode.l10n.t('{0}: no values yet.'),
    waiting: vscode.l10n.t('Waiting for the first step…'),
    queued: vscode.l10n.t('This run waits until the other runs have ended.'),
    noSteps: vscode.l10n.t('This run ended before its first step.'),
    config: vscode.l10n.t('Configuration'),
    key: vscode.l10n.t('Key'),
    onlyDifferences: vscode.l10n.t('Only differences'),
    notSet: vscode.l10n.t('not set'),
    noDifferences: vscode.l10n.t('The configurations are the same.'),
  };
}

/** See {@link chartTexts}. */
export type ChartTexts = ReturnType<typeof chartTexts>;

/** Words of the comparison. */
export function comparisonTexts() {
  return {
    ...chartTexts(),
    runs: vscode.l10n.t('Runs'),
    results: vscode.l10n.t('Results'),
    exportCsv: vscode.l10n.t('Export as CSV…'),
    runsGone: vscode.l10n.t('Not there any more: {0}'),
    bestRun: vscode.l10n.t('{0} ({1})'),
  };
}

/** See {@link comparisonTexts}. */
export type ComparisonTexts = ReturnType<typeof comparisonTexts>;

/** What the buttons of an adapter say, and what one is told of each. */
function adapterTexts() {
  return {
    use_test: vscode.l10n.t('Test Adapter'),
    use_test_hint: vscode.l10n.t(
      'Let it answer beside the base model, on rows that it did not learn',
    ),
    use_chat: vscode.l10n.t('Chat'),
    use_chat_hint: vscode.l10n.t('Talk to it, through the chat template that it was trained with'),
    use_export: vscode.l10n.t('Export Adapter…'),
    use_export_hint: vscode.l10n.t('Write it for PEFT, llama.cpp, LM Studio, Ollama and others'),
    use_push: vscode.l10n.t('Push to the Hub…'),
    use_push_hint: vscode.l10n.t('Publish it with a model card; what is sent is shown first'),
  } satisfies Readonly<Record<`use_${AdapterTask}` | `use_${AdapterTask}_hint`, string>>;
}

/** Words of the run panel. */
export function runPanelTexts() {
  return {
    ...chartTexts(),
    pause: vscode.l10n.t('Pause'),
    resume: vscode.l10n.t('Resume'),
    stop: vscode.l10n.t('Stop'),
    stopHint: vscode.l10n.t('Save a checkpoint and end the run'),
    checkpointNow: vscode.l10n.t('Checkpoint Now'),
    checkpointNowHint: vscode.l10n.t('Save a checkpoint and go on'),
    discard: vscode.l10n.t('Discard…'),
    discardHint: vscode.l10n.t('End the run and drop what was done since the last checkpoint'),
    useAdapter: vscode.l10n.t('Use the adapter of {0}'),
    noChat: vscode.l10n.t(
      'One cannot chat with this model: it has no chat template. Test Adapter lets it continue texts.',
    ),
    ...adapterTexts(),
    finish: vscode.l10n.t('Make Result…'),
    finishHint: vscode.l10n.t('Make a checkpoint the result of this run, without training on'),
    trainFurther: vscode.l10n.t('Train Further…'),
    trainFurtherHint: vscode.l10n.t('Begin a new run with what this one has learned'),
    makeResult: vscode.l10n.t('Make Result'),
    exportMetrics: vscode.l10n.t('Export Metrics as CSV…'),
    isResult: vscode.l10n.t('This checkpoint is the result of the run.'),
    result: vscode.l10n.t('result'),
    best: vscode.l10n.t('best'),
    bestHint: vscode.l10n.t('The lowest evaluation loss of all checkpoints'),
    began: vscode.l10n.t('Started'),
    duration: vscode.l10n.t('Duration'),
    resumeLatest: vscode.l10n.t('Resume from Last Checkpoint'),
    startAgain: vscode.l10n.t('Start Again'),
    startAgainHint: vscode.l10n.t(
      'The run ended before its first checkpoint; begin it anew in the same folder',
    ),
    progress: vscode.l10n.t('Progress'),
    steps: vscode.l10n.t('Step {0} of {1}'),
    timeLeft: vscode.l10n.t('about {0} left'),
    device: vscode.l10n.t('Device'),
    gpu: vscode.l10n.t('GPU'),
    gpuHint: vscode.l10n.t(
      'Its memory that all programs have in use, how much of the time it computes, temperature and power, as nvidia-smi tells',
    ),
    gpuCharts: vscode.l10n.t('What the GPU does'),
    gpuMemory: vscode.l10n.t('GPU memory'),
    gpuMemoryUsed: vscode.l10n.t('in use by all programs'),
    gpuMemoryAll: vscode.l10n.t('all of it'),
    gpuLoad: vscode.l10n.t('GPU load'),
    gpuTemperature: vscode.l10n.t('GPU temperature'),
    gpuPower: vscode.l10n.t('GPU power'),
    gpuUnknown: vscode.l10n.t('unknown'),
    gpuSummary: vscode.l10n.t('{0}: {1} now, between {2} and {3} in the last {4}.'),
    ranks: vscode.l10n.t('Processes that compute'),
    rank: vscode.l10n.t('Rank'),
    ranksHint: vscode.l10n.t(
      'Memory: what PyTorch has taken of the GPU, or what is resident where it computes on the CPU',
    ),
    compute: vscode.l10n.t('Precision'),
    computeHint: vscode.l10n.t(
      'In which the products with the frozen weights of the base model are computed (engine.compute)',
    ),
    memoryHint: vscode.l10n.t(
      'Of the process that computes: resident set size now, and its peak so far',
    ),
    memoryNow: vscode.l10n.t('{0} (at most {1})'),
    trainable: vscode.l10n.t('Weights that are trained'),
    trainableHint: vscode.l10n.t('Trainable parameters, of all parameters of model and adapter'),
    trainableOf: vscode.l10n.t('{0} of {1}'),
    data: vscode.l10n.t('Training data'),
    about: vscode.l10n.t('about {0}'),
    dataCounts: vscode.l10n.t('{0} rows, {1} tokens to learn'),
    dataHint: vscode.l10n.t(
      'Rows that are trained on, and their supervised tokens: those that the loss is computed of',
    ),
    bestEval: vscode.l10n.t('Best evaluation loss'),
    bestEvalHint: vscode.l10n.t('The lowest loss on the rows that are held out'),
    atStep: vscode.l10n.t('{0} at step {1}'),
    tags: vscode.l10n.t('Tags'),
    note: vscode.l10n.t('Note'),
    openConfig: vscode.l10n.t('Open Configuration File'),
    openFolder: vscode.l10n.t('Open Run Folder'),
    checkpoints: vscode.l10n.t('Checkpoints'),
    abandonedHint: vscode.l10n.t('Left behind when the run was resumed from an earlier checkpoint'),
    damaged: vscode.l10n.t('{0} (damaged)'),
    abandoned: vscode.l10n.t('{0} (left behind)'),
    noCheckpoints: vscode.l10n.t('No checkpoint has been written yet.'),
    checkpoint: vscode.l10n.t('Checkpoint'),
    actions: vscode.l10n.t('Actions'),
    test: vscode.l10n.t('Test'),
    resumeFromHere: vscode.l10n.t('Resume from Here'),
    export: vscode.l10n.t('Export'),
    reveal: vscode.l10n.t('Reveal'),
    compareWith: vscode.l10n.t('Compare with'),
    noComparison: vscode.l10n.t('no other run'),
    configPending: vscode.l10n.t('The configuration is stored when the run has started.'),
    thisRun: vscode.l10n.t('This run'),
    reports: vscode.l10n.t(
      'The run is reported in {0}. In a POSIX shell these commands show it, and wandb sync sends it to Weights & Biases:',
    ),
    log: vscode.l10n.t('Log'),
    samples: vscode.l10n.t('Samples'),
    noSamples: vscode.l10n.t(
      'Nothing has been sampled: give training.sample_prompts to read what the model answers while it learns.',
    ),
    filterLog: vscode.l10n.t('Filter log lines'),
    noLog: vscode.l10n.t('No lines to show.'),
    hiddenLines: vscode.l10n.t('{0} earlier lines are in the run folder’s log.'),
    figures: vscode.l10n.t('Figures'),
    figuresCaption: vscode.l10n.t('The curves in numbers; “–” where a step did not measure it'),
    figuresThinned: vscode.l10n.t(
      '{0} of {1} measured steps are shown; Export Metrics as CSV has them all.',
    ),
    charts: vscode.l10n.t('Curves'),
    views: vscode.l10n.t('More about the run'),
    info: vscode.l10n.t('Information'),
    warning: vscode.l10n.t('Warning'),
    warnings: vscode.l10n.t('Warnings'),
    error: vscode.l10n.t('Error'),
  };
}

/** See {@link runPanelTexts}. */
export type RunPanelTexts = ReturnType<typeof runPanelTexts>;
