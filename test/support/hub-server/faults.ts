/** What goes wrong with one request. */
export type Fault =
  /** Another status, perhaps with headers of the Hub. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection breaks before an answer. */
  | 'drop'
  /** It breaks when so many bytes of what is sent have come, or when all is done and before it is said. */
  | { readonly cutWhenReceived: number | 'all' }
  /** It breaks after so many bytes of the body. */
  | { readonly cutAfter: number }
  /** The body ends early, as if that were all. */
  | { readonly endAfter: number }
  /** One byte is another one. */
  | 'corrupt'
  /** More comes than was said. */
  | 'too-much'
  /** What is asked for as a part comes whole. */
  | 'no-range'
  /** Another part comes than was asked for. */
  | 'other-range'
  /** JSON that is none. */
  | 'no-json'
  /** JSON that is nothing. */
  | 'null'
  /** Nothing ever comes. */
  | 'hang'
  /** What is sent is done, and nothing ever comes. */
  | 'done-and-hang'
  /** The body comes in small pieces with pauses. */
  | { readonly pieceBytes: number; readonly pauseMs: number };

/** A request as faults see it. */
export interface SeenRequest {
  /** From 1. */
  readonly number: number;
  readonly method: string;
  /** `api`, `file`, or `cdn` for what the Hub redirects to. */
  readonly host: 'hub' | 'cdn';
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Decides what goes wrong with a request; nothing by default. */
export type FaultPlan = (request: SeenRequest) => Fault | undefined;
