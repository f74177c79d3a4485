import * as vscode from 'vscode';

/** Words of the playground, in the user's language. `{0}` stands for a value. */
export function playgroundTexts() {
  return {
    title: vscode.l10n.t('Playground'),
    model: vscode.l10n.t('Base model'),
    noModels: vscode.l10n.t('No base model found'),
    adapter: vscode.l10n.t('Adapter'),
    noAdapter: vscode.l10n.t('None: the base model alone'),
    adapters: vscode.l10n.t('Adapters'),
    checkpoints: vscode.l10n.t('Checkpoints'),
    device: vscode.l10n.t('Device'),
    deviceAuto: vscode.l10n.t('Best that works'),
    refresh: vscode.l10n.t('Look Again'),
    refreshHint: vscode.l10n.t('Look for new models, adapters and checkpoints'),
    quantized: vscode.l10n.t(
      'The frozen weights of the base model are in NF4, as they were when this adapter was trained.',
    ),
    compare: vscode.l10n.t('Show the base model beside it'),
    mode: vscode.l10n.t('Prompt is'),
    chat: vscode.l10n.t('a message (in the chat template, if the model has one)'),
    raw: vscode.l10n.t('raw text to continue'),
    prompt: vscode.l10n.t('Prompt'),
    promptHint: vscode.l10n.t('What shall the model answer or continue?'),
    generate: vscode.l10n.t('Generate'),
    generateHint: vscode.l10n.t('Ctrl+Enter'),
    stop: vscode.l10n.t('Stop'),
    sampling: vscode.l10n.t('Sampling'),
    max_new_tokens: vscode.l10n.t('Most new tokens'),
    temperature: vscode.l10n.t('Temperature (0: always the likeliest)'),
    top_p: vscode.l10n.t('Top p'),
    top_k: vscode.l10n.t('Top k (0: all)'),
    repetition_penalty: vscode.l10n.t('Repetition penalty'),
    seed: vscode.l10n.t('Seed'),
    stopTexts: vscode.l10n.t('Stop texts, one a line (\\n: line break)'),
    baseTitle: vscode.l10n.t('Base model'),
    adapterTitle: vscode.l10n.t('With the adapter'),
    idle: vscode.l10n.t('Nothing written yet.'),
    starting: vscode.l10n.t('Starting…'),
    loading: vscode.l10n.t('Loading the model, {0}%'),
    writing: vscode.l10n.t('Writing…'),
    speed: vscode.l10n.t('{0} tokens · {1} tokens/s · {2}'),
    speedless: vscode.l10n.t('{0} tokens · {2}'),
    end_stop: vscode.l10n.t('ended by itself'),
    end_length: vscode.l10n.t('reached the most tokens'),
    end_abort: vscode.l10n.t('stopped'),
    end_stop_string: vscode.l10n.t('ended at a stop text'),
    emptyAnswer: vscode.l10n.t('(an empty answer)'),
    interrupted: vscode.l10n.t('interrupted by a reload'),
  };
}

/** See {@link playgroundTexts}. */
export type PlaygroundTexts = ReturnType<typeof playgroundTexts>;
