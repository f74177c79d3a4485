import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { readConfig } from '../../../engine/config/parse.ts';
import { giveHubToken } from '../../../engine/hub/hub-token.ts';
import { fetchInput } from '../../../engine/inputs/hub-inputs.ts';
import { hasChatTemplate } from '../../../engine/models/has-chat-template.ts';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import type { ProgressEvent } from '../../../engine/plan/plan-reports.ts';
import { FACTS_OF_DRIVER } from '../../../engine/runtime/device-facts.ts';
import { endWithParent } from '../../end-with-parent.ts';
import { downloadText, progressText } from '../../progress-text.ts';
import { ask, notify, serve } from '../../rpc/serve.ts';
import { ConfigInspector } from './config-inspector.ts';
import { DataReading } from './data-reading.ts';
import { hubSample, modelOutlook, starterMemory } from './hub-looks.ts';
import {
  dataNews,
  downloadModel,
  downloadProgressed,
  estimateConfig,
  estimateProgressed,
  estimateStarter,
  findAutoDevice,
  findChatTemplate,
  getDataRows,
  inspectConfig,
  inspectedPlace,
  listColumns,
  listModules,
  lookAtData,
  lookAtModel,
  readData,
  sampleFile,
  searchData,
} from './inspector-protocol.ts';

/**
 * The process in which the language server has files read: tokenizers, data and graphs keep a
 * processor busy for longer than someone who types should wait, and files of strangers may do so for
 * ever, or fill all memory, which ends a process with all of its threads. ONNX Runtime is never
 * loaded here.
 */
const connection = createMessageConnection(
  new IPCMessageReader(process),
  new IPCMessageWriter(process),
);
const inspector = new ConfigInspector({
  facts: {
    ...FACTS_OF_DRIVER,
    auto: async (compute) =>
      (await ask(connection, findAutoDevice, { compute, waits: false })) ?? undefined,
  },
});

serve(connection, inspectConfig, ({ file, text }, token) =>
  inspector.inspect(
    file,
    text,
    () => token.isCancellationRequested,
    (path) => notify(connection, inspectedPlace, { path }),
  ),
);
serve(connection, listColumns, ({ names }) => inspector.columns(names));
serve(connection, listModules, ({ model }) => inspector.moduleNames(model));
serve(connection, findChatTemplate, ({ model, adapter }) => hasChatTemplate(model, adapter));
serve(connection, estimateConfig, async ({ config, hubToken }) => {
  giveHubToken(hubToken);
  const tell = (event: ProgressEvent): void => {
    const { done, total } = event;
    notify(connection, estimateProgressed, { task: progressText(event), done, total });
  };
  return estimateRun(config, tell, {
    ...FACTS_OF_DRIVER,
    auto: async (compute) => (await ask(connection, findAutoDevice, { compute, waits: true }))!,
  });
});
serve(connection, sampleFile, ({ file }) => inspector.sample(file));
const reading = new DataReading((state) => void notify(connection, dataNews, { state }));
serve(connection, readData, async ({ file, hubToken }, token) => {
  giveHubToken(hubToken);
  await reading.read(await readConfig(file), () => token.isCancellationRequested);
  return null;
});
serve(connection, getDataRows, ({ start, count }) => reading.page(start, count));
serve(connection, searchData, async ({ text }) => {
  await reading.search(text);
  return null;
});
serve(connection, lookAtModel, async ({ name, hubToken }) => {
  giveHubToken(hubToken);
  return modelOutlook(name);
});
serve(connection, estimateStarter, ({ name }) => starterMemory(name));
serve(connection, lookAtData, async ({ name, hubToken }) => {
  giveHubToken(hubToken);
  return hubSample(name);
});
serve(connection, downloadModel, async ({ name, hubToken }) => {
  giveHubToken(hubToken);
  return fetchInput(name, 'model', (state) => {
    void notify(connection, downloadProgressed, { text: downloadText(state) ?? state.task });
  });
});
connection.onClose(() => process.exit());
process.on('disconnect', () => process.exit());
endWithParent();
connection.listen();
