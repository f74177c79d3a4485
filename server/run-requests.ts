import {
  annotateRun,
  controlRun,
  deleteRun,
  finishRun,
  getRunConfig,
  getRunMetrics,
  getRunReports,
  gpusRead,
  listRuns,
  lookAtRun,
  measureRun,
  renameRun,
  resumeRun,
  runChanged,
  runEvents,
  runGone,
  runLog,
  startRun,
  unwatchRun,
  watchRun,
} from './protocol/runs.ts';
import {
  type NotificationSink,
  notify,
  type RequestSink,
  type RequestSource,
  serve,
} from './rpc/serve.ts';
import { askEditor } from './runs/editor-python.ts';
import { GpuWatch } from './runs/gpu-watch.ts';
import { RunManager, type RunManagerOptions } from './runs/run-manager.ts';
import { metricsCsv, runMetrics } from './runs/run-metrics.ts';
import { runReports } from './runs/run-reports.ts';

/** Answers the client's requests about runs, and sends it what happens to them. */
export function serveRuns(
  connection: RequestSource & RequestSink & NotificationSink,
  {
    onStateChanged,
    ...options
  }: Omit<RunManagerOptions, 'onChanged' | 'onGone' | 'askPython'> & {
    /** Called when a run began, ended or is gone: not for each step. */
    readonly onStateChanged: () => void;
  },
): RunManager {
  const live = new Map<string, boolean>();
  const gpus = new GpuWatch(
    (read) => void notify(connection, gpusRead, { gpus: read && [...read] }),
  );
  const manager = new RunManager({
    ...options,
    askPython: askEditor(connection),
    onChanged: (summary) => {
      const { folder, isLive } = summary;
      void notify(connection, runChanged, summary);
      gpus.heed(summary);
      if (live.get(folder) !== isLive) onStateChanged();
      live.set(folder, isLive);
    },
    onGone: (folder) => {
      void notify(connection, runGone, { folder });
      gpus.forget(folder);
      live.delete(folder);
      onStateChanged();
    },
  });
  serve(connection, listRuns, () => manager.list());
  serve(connection, lookAtRun, async ({ folder }) => (await manager.look(folder)) ?? null);
  serve(connection, startRun, ({ configFile, whenBusy }) => manager.start(configFile, whenBusy));
  serve(connection, resumeRun, ({ folder, checkpoint, whenBusy, baseModel }) =>
    manager.resume(folder, checkpoint, whenBusy, baseModel),
  );
  serve(connection, controlRun, ({ folder, action }) => manager.control(folder, action));
  serve(connection, measureRun, ({ folder }) => manager.measure(folder));
  serve(connection, deleteRun, ({ folder }) => manager.delete(folder));
  serve(connection, renameRun, ({ folder, name }) => manager.rename(folder, name));
  serve(connection, annotateRun, ({ folder, notes }) => manager.annotate(folder, notes));
  serve(connection, finishRun, ({ folder, checkpoint }) => manager.finish(folder, checkpoint));
  serve(connection, getRunConfig, ({ folder }) => manager.config(folder));
  serve(connection, getRunMetrics, async ({ folder }) => {
    const { rows, problem } = await runMetrics(folder);
    return { csv: metricsCsv(rows), problem };
  });
  serve(connection, getRunReports, ({ folder }) => runReports(folder));
  serve(connection, watchRun, async ({ folder }) => {
    await manager.follow(folder, {
      onEvents: (entries, isStart) => notify(connection, runEvents, { folder, isStart, entries }),
      onLog: (lines, isStart) => notify(connection, runLog, { folder, isStart, lines }),
    });
    return null;
  });
  serve(connection, unwatchRun, ({ folder }) => {
    manager.unfollow(folder);
    return null;
  });
  return manager;
}
