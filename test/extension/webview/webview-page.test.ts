import { expect, test, vi } from 'vitest';
import { renderWebviewPage } from '../../../extension/webview/webview-page.ts';
import { ALL_HOSTILE, HOSTILE } from '../../support/hostile-texts.ts';
import { Uri } from '../../support/vscode-files.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const webview = {
  asWebviewUri: ({ fsPath }: { readonly fsPath: string }) => fsPath,
  cspSource: 'https://page.example',
};

function page(title: string, text: string): string {
  return renderWebviewPage(webview as never, Uri.file('/extension') as never, {
    bundle: 'run-panel',
    title,
    texts: { word: text },
  });
}

test('a page loads its own script and style sheet, and nothing else', () => {
  const html = page('Title', 'word');
  const policy = /content="([^"]*)"/.exec(html)![1]!.split('; ');
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("base-uri 'none'");
  expect(policy).toContain("form-action 'none'");
  expect(policy.join()).not.toMatch(/unsafe|https?:(?!\/\/page)|\*|data:/);
  const nonces = [...html.matchAll(/nonce[-=]"?([\w+/=]+)/g)].map(([, nonce]) => nonce);
  expect(nonces).toHaveLength(2);
  expect(nonces[0]).toBe(nonces[1]);
  expect(page('Title', 'word')).not.toContain(nonces[0]!);
});

test('neither title nor words can leave their place', () => {
  const html = page(ALL_HOSTILE, `"><script>${HOSTILE.html}</script>`);
  expect(html).not.toContain('<img');
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(/data-texts="([^"]*)"/.exec(html)![1]).toContain('&quot;');
});
