/** The page's end of the channel to the extension. */
export interface Host<Incoming, Outgoing, State> {
  send(message: Outgoing): void;
  /** Calls `handler` for each message of the extension, in order. */
  listen(handler: (message: Incoming) => void): void;
  /** What {@link setState} kept; it survives a reload of the window. */
  getState(): State | undefined;
  setState(state: State): void;
}

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/**
 * Connects the page with the extension; may be called once. Both come from one package, so that
 * the types of the messages are what they are declared to be.
 */
export function connectHost<Incoming, Outgoing, State>(): Host<Incoming, Outgoing, State> {
  const api = acquireVsCodeApi();
  return {
    send: (message) => api.postMessage(message),
    listen: (handler) => {
      window.addEventListener('message', ({ data }: MessageEvent<Incoming>) => handler(data));
    },
    getState: () => api.getState() as State | undefined,
    setState: (state) => api.setState(state),
  };
}
