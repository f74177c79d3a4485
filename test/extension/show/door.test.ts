import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** The only code that hands text to VS Code's own renderers. */
const DOOR = 'extension/show/';

/** Sources by their paths. */
function sources(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name))
    .filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
}

/** Where a pattern stands outside of the files that may have it. */
function found(folder: string, pattern: RegExp, ...allowed: readonly string[]): readonly string[] {
  return [...sources(folder)]
    .filter(([file]) => !allowed.some((start) => file.startsWith(start)))
    .flatMap(([file, text]) => [...text.matchAll(pattern)].map(([match]) => `${file}: ${match}`));
}

/** What of `vscode.window` shows no text, or only text of our own. */
const HARMLESS_FUNCTIONS = [
  'activeTextEditor',
  'tabGroups',
  'onDidChangeWindowState',
  'state',
  'visibleTextEditors',
  'showTextDocument',
  'showOpenDialog',
  'showSaveDialog',
  'registerTreeDataProvider',
  'registerCustomEditorProvider',
  'registerWebviewPanelSerializer',
];

/** What holds no text. */
const HARMLESS_CLASSES = [
  'CancellationTokenSource',
  'Disposable',
  'EventEmitter',
  'LanguageModelTextPart',
  'Position',
  'Range',
  'RelativePattern',
  'ThemeColor',
  'ThemeIcon',
  'WorkspaceEdit',
];

test('only the door calls what of VS Code shows text', () => {
  const functions = new RegExp(`\\bwindow\\.(?!(?:${HARMLESS_FUNCTIONS.join('|')})\\b)\\w+`, 'g');
  expect(found('extension', functions, DOOR)).toEqual([]);
  const classes = new RegExp(`new vscode\\.(?!(?:${HARMLESS_CLASSES.join('|')})\\b)\\w+`, 'g');
  expect(found('extension', classes, DOOR)).toEqual([]);
  const properties =
    /\.(?:tooltip|title|description|detail|label|placeholder|prompt|validationMessage)\s*=(?![=>])/g;
  expect(found('extension', properties, DOOR)).toEqual([]);
  // Nor by another name: every use is spelled as above.
  expect(found('extension', /=\s*vscode(?:\.window)?\s*[;,)]|\bwindow\s*\[/g)).toEqual([]);
  expect(found('extension', /^import (?!type|\* as vscode)[^;]* from 'vscode'/gm)).toEqual([]);
});

test('nothing is Markdown that runs commands, has HTML or icons', () => {
  const markdown =
    /MarkdownString|isTrusted\s*[:=]|supportHtml|supportThemeIcons|enableCommandUris/g;
  expect(found('extension', markdown)).toEqual([]);
  expect(
    found('server', /MarkupKind|showMessage|show(?:Error|Warning|Information)Message/g),
  ).toEqual([]);
  expect(found('server', /\bconnection\.window\b|\.showDocument\b/g)).toEqual([]);
});

test('pages make no HTML of text', () => {
  const html =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|srcdoc|createContextualFragment|\beval\(|new Function/g;
  expect(found('media', html)).toEqual([]);
  const text = /\.textContent\s*=(?!=)/g;
  // What a model wrote is data, and stays as it is.
  expect(found('media', text, 'media/webview/element.ts', 'media/playground/verbatim.ts')).toEqual(
    [],
  );
});

test('the command line prints through its door', () => {
  const prints = /\b(?:stdout|stderr)\.write\b|(?<!connection\.)\bconsole\.\w+/g;
  const own = [
    'server/cli/print.ts',
    'server/cli/commands/preview.ts',
    'server/trainer/compute.ts',
  ];
  expect(found('server', prints, ...own)).toEqual([]);
});
