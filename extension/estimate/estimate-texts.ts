import * as vscode from 'vscode';

/** Words of an estimate, in the user's language. */
export function estimateTexts() {
  return {
    title: vscode.l10n.t('Estimate'),
    fits: vscode.l10n.t('The run fits into memory:'),
    doesNotFit: vscode.l10n.t('The run does not fit into memory:'),
    needed: vscode.l10n.t('needed'),
    available: vscode.l10n.t('available'),
    limitUnknown: vscode.l10n.t('How much memory the device has is not known.'),
    time: vscode.l10n.t('It will train for about'),
    timeOfSteps: vscode.l10n.t('Evaluations, answers and checkpoints come on top.'),
    timeUnknown: vscode.l10n.t(
      'How long it takes is not known yet: no run of this model with these settings was made here.',
    ),
    tokensPerSecond: vscode.l10n.t('tokens/s'),
    memory: vscode.l10n.t('Memory at the peak'),
    part: vscode.l10n.t('Part'),
    size: vscode.l10n.t('Size'),
    weights: vscode.l10n.t('Base model'),
    answerWeights: vscode.l10n.t('Base model for answers'),
    mapped: vscode.l10n.t('mapped from disk'),
    copied: vscode.l10n.t('copied to the device'),
    ofProcess: vscode.l10n.t(
      'That is for the process of Accelerate, and an estimate of another engine, by what PyTorch keeps of a Llama.',
    ),
    ofProcesses: vscode.l10n.t(
      'That is for each of the processes of Accelerate, {0} in all, and an estimate of another engine, by what PyTorch keeps of a Llama.',
    ),
    ofCuda: vscode.l10n.t('On a GPU, what CUDA takes for itself comes on top.'),
    optimizer: vscode.l10n.t('Adapter, gradients and optimizer'),
    activations: vscode.l10n.t('Activations of a step'),
    evaluation: vscode.l10n.t('Evaluation'),
    answers: vscode.l10n.t('Answers to the sample prompts'),
    largestCounts: vscode.l10n.t(
      'A step, an evaluation and an answer are never computed at the same time: the largest of them counts.',
    ),
    runtime: vscode.l10n.t('The program itself'),
    total: vscode.l10n.t('Total'),
    disk: vscode.l10n.t('Disk'),
    writtenOnce: vscode.l10n.t(
      'Weights that are unpacked or quantized, once before the first step:',
    ),
    room: vscode.l10n.t('there is room for'),
    run: vscode.l10n.t('The run'),
    what: vscode.l10n.t('What'),
    howMuch: vscode.l10n.t('How much'),
    device: vscode.l10n.t('Device'),
    steps: vscode.l10n.t('Optimizer steps'),
    stepsPerEpoch: vscode.l10n.t('Steps per epoch'),
    trainable: vscode.l10n.t('Trainable parameters'),
    rows: vscode.l10n.t('Rows'),
    tokens: vscode.l10n.t('Tokens (learned from)'),
    about: vscode.l10n.t('about {0}'),
    inferred: vscode.l10n.t(
      'The data are streamed: rows, tokens, padding and steps per epoch are inferred from the first {0} rows.',
    ),
    padding: vscode.l10n.t('Padding'),
    paddingPacked: vscode.l10n.t('Padding with packing'),
    paddingUnpacked: vscode.l10n.t('Padding without packing'),
    evaluationRows: vscode.l10n.t('Rows for evaluation'),
    evaluationTokens: vscode.l10n.t('Tokens for evaluation (scored)'),
    largestBatch: vscode.l10n.t('Largest batch (rows × tokens)'),
    largestEvaluationBatch: vscode.l10n.t('Largest batch of an evaluation (rows × tokens)'),
    checkpointing: vscode.l10n.t('Gradient checkpointing'),
    compute: vscode.l10n.t('Products with frozen weights'),
    warnings: vscode.l10n.t('Notes'),
  };
}

/** See {@link estimateTexts}. */
export type EstimateTexts = ReturnType<typeof estimateTexts>;
