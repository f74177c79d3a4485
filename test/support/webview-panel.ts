import { EventEmitter } from 'node:events';

/** A panel as VS Code gives it, whose page is a list of what it was told. */
export class OpenedPanel<News extends { readonly type: string }> {
  readonly told: News[] = [];
  readonly #events = new EventEmitter();
  title = 'Panel';
  isDisposed = false;
  visible = true;
  active = true;
  readonly #webview = {
    cspSource: '',
    asWebviewUri: ({ fsPath }: { readonly fsPath: string }) => fsPath,
    onDidReceiveMessage: this.#on('message'),
    postMessage: async (news: News) => this.told.push(news),
  };
  readonly onDidChangeViewState = this.#on('viewState');
  readonly onDidDispose = this.#on('dispose');

  get webview() {
    if (this.isDisposed) throw new Error('Webview is disposed');
    return this.#webview;
  }

  /** What the page asks for. */
  ask(request: object): void {
    this.#events.emit('message', request);
  }

  /** The user brings another tab to the front, or this one. */
  show(visible: boolean): void {
    this.visible = visible;
    this.#events.emit('viewState');
  }

  /** The latest news of a kind. */
  last<Type extends News['type']>(type: Type): Extract<News, { readonly type: Type }> | undefined {
    const isOfType = (news: News): news is Extract<News, { readonly type: Type }> =>
      news.type === type;
    return this.told.filter(isOfType).at(-1);
  }

  reveal(): void {}

  dispose(): void {
    this.isDisposed = true;
    this.#events.emit('dispose');
  }

  #on(name: string) {
    return (handler: () => void) => {
      this.#events.on(name, handler);
      return { dispose: () => this.#events.off(name, handler) };
    };
  }
}
