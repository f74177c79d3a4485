import type { RunState } from '../../server/runs/run-status.ts';

const ICONS: Readonly<Record<RunState, string>> = {
  queued: 'clock',
  preparing: 'loading~spin',
  running: 'sync~spin',
  pausing: 'sync~spin',
  paused: 'debug-pause',
  stopping: 'sync~spin',
  completed: 'pass',
  // Not the stop of the debugger, which is red.
  stopped: 'stop-circle',
  cancelled: 'circle-slash',
  failed: 'error',
};

const COLORS: { readonly [K in RunState]?: string } = {
  running: 'charts.blue',
  completed: 'testing.iconPassed',
  failed: 'testing.iconFailed',
};

/** Name of the icon of a state, from VS Code's own set. */
export function stateIcon(state: RunState): string {
  return ICONS[state];
}

/** Theme colour of that icon; undefined: that of the text. */
export function stateColor(state: RunState): string | undefined {
  return COLORS[state];
}
