import type { RunSummary } from '../../server/protocol/runs.ts';
import type { RunState } from '../../server/trainer/run-status.ts';

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

/** Name of the icon of a run, from VS Code's own set. */
export function runIcon(run: RunSummary): string {
  return wantsCare(run) ? 'warning' : ICONS[run.status.state];
}

/** Theme colour of that icon; undefined: that of the text. */
export function runColor(run: RunSummary): string | undefined {
  return wantsCare(run) ? 'list.warningForeground' : COLORS[run.status.state];
}

/** Whether it came to its end without having learned, or nothing new is heard of it. */
function wantsCare({ status: { state, verdict }, unheard }: RunSummary): boolean {
  return unheard !== null || (state === 'completed' && verdict !== null);
}
