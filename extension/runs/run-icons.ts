import type { RunState, RunStatus } from '../../server/runs/run-status.ts';

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

/** What of a run decides its icon. */
type Shown = Pick<RunStatus, 'state' | 'verdict'>;

/** Name of the icon of a run, from VS Code's own set. */
export function runIcon(status: Shown): string {
  return isInVain(status) ? 'warning' : ICONS[status.state];
}

/** Theme colour of that icon; undefined: that of the text. */
export function runColor(status: Shown): string | undefined {
  return isInVain(status) ? 'list.warningForeground' : COLORS[status.state];
}

/** Whether it came to its end without having learned. */
function isInVain({ state, verdict }: Shown): boolean {
  return state === 'completed' && verdict !== null;
}
