import { expect, test } from 'vitest';
import { CompletionItemKind } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { createConfigLanguage } from '../../../server/language/config-language.ts';
import {
  plainAction,
  plainCompletion,
  plainDiagnostic,
} from '../../../server/language/plain-features.ts';
import { ALL_HOSTILE, drawnLabel, HOSTILE, hidesSomething } from '../../support/hostile-texts.ts';

const HUGE = `${ALL_HOSTILE}\n`.repeat(10_000);
const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };

test('problems and quick fixes quote the file in one bounded line', () => {
  const { message } = plainDiagnostic({ range, message: HUGE });
  const { title } = plainAction({ title: HUGE });
  for (const text of [message, title]) {
    expect(hidesSomething(text)).toBe(false);
    expect(text).not.toContain('\n');
    expect(text.length).toBeLessThanOrEqual(2000);
  }
});

test('a suggestion has no icons in its label, and inserts what it did', () => {
  const name = `column ${ALL_HOSTILE}`;
  const newText = JSON.stringify(name);
  const item = { label: name, kind: CompletionItemKind.Field, textEdit: { range, newText } };
  const shown = plainCompletion(item);
  expect(drawnLabel(shown.label)).not.toContain('⟦');
  expect(hidesSomething(shown.label)).toBe(false);
  expect(shown).toMatchObject({ filterText: name, textEdit: { newText } });
  expect(plainCompletion({ label: HOSTILE.icon })).toEqual({
    label: '\\$(alert) \\$(sync~spin)',
    filterText: HOSTILE.icon,
    insertText: HOSTILE.icon,
  });
  expect(plainCompletion({ label: 'prompt' })).toEqual({ label: 'prompt' });
});

test('nothing of a file gets into the Markdown of hovers and suggestions', async () => {
  const link = JSON.stringify(HOSTILE.link);
  const text = `{ "model": { "base_model_name_or_path": ${link}, ${link}: ${link} }, ${link}: 1 }`;
  const document = TextDocument.create('file:///a.lorafa.json', 'jsonc', 1, text);
  const language = createConfigLanguage();
  for (let offset = 0; offset < text.length; offset += 3) {
    const position = document.positionAt(offset);
    const hover = await language.hover(document, position);
    expect(JSON.stringify(hover?.contents ?? null)).not.toContain('command:');
    const completions = await language.complete(document, position);
    for (const { documentation } of completions?.items ?? []) {
      expect(JSON.stringify(documentation ?? null)).not.toContain('command:');
    }
  }
});
