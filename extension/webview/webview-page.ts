import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** What a webview shows at first. */
export interface WebviewPage {
  /** Name of its script and style sheet in `out/media`, e.g. `run-panel`. */
  readonly bundle: string;
  /** For screen readers and the frame's title. */
  readonly title: string;
  /** Words for people in the user's language, by name; the page reads them with `readTexts`. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Folder of the bundled pages, which is all that a webview may load from. */
export function webviewRoot(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'out', 'media');
}

/** The HTML of a page: one script, one style sheet, and nothing else may be loaded or run. */
export function renderWebviewPage(
  webview: vscode.Webview,
  extensionUri: vscode.Uri,
  { bundle, title, texts }: WebviewPage,
): string {
  const nonce = randomBytes(16).toString('base64');
  const file = (name: string): string =>
    String(webview.asWebviewUri(vscode.Uri.joinPath(webviewRoot(extensionUri), name)));
  const policy = [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    `style-src ${webview.cspSource}`,
    `img-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escapeHtml(title)}</title>
  <link rel="stylesheet" href="${file(`${bundle}.css`)}">
</head>
<body data-texts="${escapeHtml(JSON.stringify(texts))}">
  <script type="module" nonce="${nonce}" src="${file(`${bundle}.js`)}"></script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
