import path from 'node:path';
import { parse } from 'jsonc-parser';
import { givenIn } from '../engine/config/given.ts';
import { refusal } from '../engine/config/jsonc-tree.ts';
import type { InspectorClient } from './language/inspection/inspector-client.ts';
import { dataNames } from './language/value-completions.ts';
import { listColumns, sampleData } from './protocol/data.ts';
import { type RequestSource, serve } from './rpc/serve.ts';

/** Answers the client's requests for the beginnings of data files, in the inspector's process. */
export function serveDataFiles(
  connection: RequestSource,
  inspector: Pick<InspectorClient, 'sample' | 'columns'>,
): void {
  serve(connection, sampleData, ({ file }) => inspector.sample(file));
  serve(connection, listColumns, async ({ configFile, text }) => {
    if (refusal(text) !== undefined) return [];
    const given = givenIn(parse(text, [], { allowTrailingComma: true }));
    return inspector.columns(dataNames(given, path.dirname(configFile)));
  });
}
