import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { createConfigLanguage } from '../../../server/language/config-language.ts';

const language = createConfigLanguage();

/** A document and the position of the `|` in its text. */
function at(marked: string) {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const document = TextDocument.create('file:///run.lorafa.json', 'jsonc', 1, text);
  return [document, document.positionAt(offset)] as const;
}

/** The text after each completion at the `|` was accepted, by label. */
async function completions(marked: string): Promise<Readonly<Record<string, string>>> {
  const [document, position] = at(marked);
  const list = await language.complete(document, position);
  const accepted = list!.items.map(({ label, textEdit }) => {
    if (textEdit === undefined || !('range' in textEdit)) throw new Error(`${label}: no edit`);
    return [label, TextDocument.applyEdits(document, [textEdit])] as const;
  });
  return Object.fromEntries(accepted);
}

async function hoverText(marked: string): Promise<string | undefined> {
  const hover = await language.hover(...at(marked));
  const contents = hover?.contents;
  return Array.isArray(contents) ? contents.join('\n\n') : (contents as string | undefined);
}

test('keys that may stand at a place are offered, without those that stand there already', async () => {
  const offered = await completions('{ "training": { "seed": 1, | } }');
  expect(Object.keys(offered)).toEqual(expect.arrayContaining(['output_dir', 'learning_rate']));
  expect(offered).not.toHaveProperty('seed');
  expect(offered).not.toHaveProperty('base_model_name_or_path');
});

test('an accepted key brings its default and the comma that it needs', async () => {
  const offered = await completions('{ "training": { | "seed": 1 } }');
  expect(offered['weight_decay']).toMatch(/"weight_decay": \$\{1:0\.01\}, *"seed"/);
});

test('a key is found by its bare name, and what it can be set to is offered next', async () => {
  const keyOf = async (marked: string, key: string) => {
    const list = await language.complete(...at(marked));
    return list!.items.find(({ label }) => label === key);
  };
  expect(await keyOf('{ "training": { lr_sch| } }', 'lr_scheduler_type')).toMatchObject({
    filterText: 'lr_scheduler_type',
    textEdit: { newText: '"lr_scheduler_type": $1' },
    command: { command: 'editor.action.triggerSuggest' },
  });
  // One in quotes is replaced with them.
  const quoted = await keyOf('{ "training": { "lr_sch|" } }', 'lr_scheduler_type');
  expect(quoted).toMatchObject({ filterText: '"lr_scheduler_type"' });
  expect(await keyOf('{ mod| }', 'model')).toMatchObject({
    command: { command: 'editor.action.triggerSuggest' },
  });
  // A value that is filled in has nothing to offer.
  expect(await keyOf('{ "training": { see| } }', 'seed')).not.toHaveProperty('command');
});

test('the values of a key are offered', async () => {
  const offered = await completions('{ "training": { "method": | } }');
  expect(Object.keys(offered).sort()).toEqual(['"full"', '"lora"', '"lorafa"']);
  const device = await completions('{ "engine": { "device": "c|" } }');
  expect(device).toHaveProperty(['"cuda"'], '{ "engine": { "device": "cuda" } }');
});

test('hover says what a key means, what it accepts and its default', async () => {
  const text = await hoverText('{ "training": { "num_train_|epochs": 1 } }');
  expect(text).toBe(
    'Passes over the training data; fractions are allowed. Excludes `max_steps`.\n\nAccepts a number above 0 and at most 1000000. Default: `3`.',
  );
  expect(await hoverText('{ "training": { "adam_|epsilon": 1 } }')).toContain(
    'Default: `1e-6` with the method `lorafa`',
  );
  expect(await hoverText('{ "mod|el": {} }')).toBe('The base model.');
  expect(await hoverText('{ "unkno|wn": {} }')).toBe('');
});

test.each(['|', '{|', '{ "training": [|', '/* |'])(
  'broken text (%j) does no harm',
  async (text) => {
    const [document, position] = at(text);
    await expect(language.complete(document, position)).resolves.toBeDefined();
    await expect(language.hover(document, position)).resolves.toBeDefined();
  },
);
