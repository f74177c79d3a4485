import type { Graph } from '../graph/graph.ts';
import {
  type AttentionBlock,
  type AttentionSizes,
  attentionBlocks,
  FUSED_BLOCK,
} from '../graph/ops/attention.ts';
import { isOp } from '../graph/value.ts';

/** Blocks of one row that one thread computes. */
export interface RowPart {
  readonly row: number;
  /** In their order in the row. */
  readonly blocks: readonly AttentionBlock[];
  /**
   * Where threads share a row: which of the sums over a part of a row this one's gradients of keys and values
   * are, counted over all rows; the sums of a row follow each other.
   */
  readonly partialSum?: number;
}

/** What one thread computes. */
export type AttentionShare = readonly RowPart[];

/**
 * Divides the blocks of all rows among threads, evenly by their numbers of scores: as far as there are
 * rows, each has one thread. The same sizes are always divided alike, so that sums always come out alike.
 */
export function attentionShares(sizes: AttentionSizes, threads: number): AttentionShare[] {
  const blocks = fromBothEnds(attentionBlocks(sizes.length, sizes.window, FUSED_BLOCK));
  const total = sizes.rows * blocks.reduce((sum, block) => sum + scores(block), 0);
  let before = 0;
  const threadOf = (block: AttentionBlock): number => {
    const middle = before + scores(block) / 2;
    before += scores(block);
    return Math.floor((middle * threads) / total);
  };
  const shares = Array.from({ length: threads }, (): RowPart[] => []);
  let partialSums = 0;
  for (let row = 0; row < sizes.rows; row++) {
    const owners = new Map(blocks.map((block) => [block, threadOf(block)]));
    const isShared = new Set(owners.values()).size > 1;
    shares.forEach((share, thread) => {
      const own = blocks.filter((block) => owners.get(block) === thread);
      if (own.length === 0) return;
      own.sort((a, b) => a.start - b.start);
      share.push({ row, blocks: own, ...(isShared && { partialSum: partialSums++ }) });
    });
  }
  return shares;
}

/**
 * How many threads are of use, of so many at most: with more the largest share, for which all wait, is no smaller.
 * A block is not divided, so that a short batch keeps few threads busy; each thread is memory and a wake-up.
 */
export function usefulThreads(sizes: AttentionSizes, most: number): number {
  const largest = Array.from({ length: most }, (_, i) =>
    Math.max(...attentionShares(sizes, i + 1).map(scoresOfShare)),
  );
  return 1 + largest.indexOf(Math.min(...largest));
}

/** How many threads are of use to the attention of a graph that ops of our own compute, of so many at most; 1 without. */
export function attentionThreads(graph: Graph, most: number): number {
  const sizes = new Set<string>();
  let threads = 1;
  for (const value of graph.values) {
    if (!isOp(value, 'causalAttention') && !isOp(value, 'causalAttentionGradients')) continue;
    // Layers are alike.
    const key = JSON.stringify(value.attributes);
    if (!sizes.has(key)) threads = Math.max(threads, usefulThreads(value.attributes, most));
    sizes.add(key);
  }
  return threads;
}

function scoresOfShare(share: AttentionShare): number {
  return share.reduce(
    (all, { blocks }) => all + blocks.reduce((sum, block) => sum + scores(block), 0),
    0,
  );
}

function scores({ start, end, firstKey }: AttentionBlock): number {
  return (end - start) * (end - firstKey);
}

/** The last, the first, the last but one and so on: two in a row have about as many scores as any other two. */
function fromBothEnds(blocks: readonly AttentionBlock[]): AttentionBlock[] {
  return blocks.map((_, i) => blocks.at(i % 2 === 0 ? -1 - i / 2 : (i - 1) / 2)!);
}
