import type { Command } from 'commander';
import { defaultCacheFolder } from '../../../engine/cache-folder.ts';
import { cacheEntries, emptyCache } from '../../../engine/weights/cache-entries.ts';
import { cacheLimit } from '../../../engine/weights/cache-room.ts';
import { renderCache, renderEmptied } from '../cache-report.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';

interface CacheFlags {
  readonly clear?: true;
  readonly json?: true;
}

/** Adds `lorafa cache` to the program. */
export function addCacheCommand(program: Command): void {
  program
    .command('cache')
    .summary('list or remove weights that were unpacked or quantized')
    .description(
      'List the weights that were unpacked or quantized for runs, with their sizes. They are made again when they are needed; those that were used longest ago make room for others (LORAFA_CACHE_MAX_GIB, 50 unless set, in LORAFA_CACHE_DIR).',
    )
    .option('--clear', 'remove those that no process uses')
    .option('--json', 'print one JSON object')
    .action((flags: CacheFlags) => runCommand(flags.json === true, () => cache(flags)));
}

async function cache({ clear, json }: CacheFlags): Promise<void> {
  const folder = defaultCacheFolder();
  if (clear === true) {
    const emptied = await emptyCache(folder);
    if (json === true) printJson(process.stdout, { folder, ...emptied });
    else printText(process.stdout, renderEmptied(folder, emptied));
    return;
  }
  const entries = await cacheEntries(folder);
  const limit = cacheLimit();
  if (json === true) printJson(process.stdout, { folder, limit, entries });
  else printText(process.stdout, renderCache(folder, entries, limit));
}
