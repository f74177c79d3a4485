import { withConfigFile } from '../engine/accelerate/config-file.ts';
import { readConfig } from '../engine/config/parse.ts';
import type { ResolvedConfig } from '../engine/config/schema.ts';
import type { MeasuredSpeed } from '../engine/train/measure-speed.ts';
import { runCli } from './cli-process.ts';
import { InspectorClient } from './language/inspection/inspector-client.ts';
import { estimateProgress, estimateRun, timeSteps } from './protocol/configurations.ts';
import {
  type NotificationSink,
  notify,
  type RequestSink,
  type RequestSource,
  serve,
} from './rpc/serve.ts';
import { earlierSpeed } from './runs/earlier-speed.ts';
import { type AskPython, askEditor, pythonVariables } from './runs/editor-python.ts';

/** What estimates need. */
export interface EstimateOptions {
  /** The built `language/inspection/inspector-process.ts`. */
  readonly inspectorScript: string;
  /** The built `cli/main.ts`. */
  readonly cliScript: string;
  /** Folders of the workspace's runs. */
  readonly runFolders: () => Promise<readonly string[]>;
}

/** Answers the client's requests for estimates and measurements, each in a process of its own. */
export function serveEstimates(
  connection: RequestSource & RequestSink & NotificationSink,
  { inspectorScript, cliScript, runFolders }: EstimateOptions,
): void {
  serve(connection, estimateRun, async ({ configFile }, token) => {
    const config = await readWhole(configFile, askEditor(connection));
    const inspector = new InspectorClient(inspectorScript);
    const cancelled = token.onCancellationRequested(() => inspector.dispose());
    try {
      const estimate = await inspector.estimate(config, (progress) =>
        notify(connection, estimateProgress, { configFile, ...progress }),
      );
      const earlier = await earlierSpeed(config, await runFolders());
      return { estimate, earlier: earlier ?? null };
    } finally {
      cancelled.dispose();
      await inspector.dispose();
    }
  });
  serve(connection, timeSteps, async ({ configFile }, token) => {
    const config = await readConfig(configFile);
    const variables = await pythonVariables(config, configFile, askEditor(connection));
    const args = ['measure', configFile];
    return (await runCli(cliScript, args, token, { variables })) as MeasuredSpeed;
  });
}

/** A configuration with what a file of Accelerate says, which the Python reads that a run of it would have. */
async function readWhole(configFile: string, askPython: AskPython): Promise<ResolvedConfig> {
  const config = await readConfig(configFile);
  if (config.accelerate.config_file === undefined) return config;
  const variables = await pythonVariables(config, configFile, askPython);
  return withConfigFile(config, { ...process.env, ...variables });
}
