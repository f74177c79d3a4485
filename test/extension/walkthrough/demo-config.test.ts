import { readFile } from 'node:fs/promises';
import { parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { demoConfigForUser } from '../../../extension/walkthrough/demo-config.ts';

test("the user's copy of the demo writes beside itself; all else stays as it is", async () => {
  const text = await readFile('media/demo/demo.lorafa.json', 'utf8');
  const copy = demoConfigForUser(text);
  const { training, ...others } = parse(text) as Record<string, object>;
  expect(parse(copy)).toEqual({ ...others, training: { ...training, output_dir: 'runs/demo' } });
  const comments = (json: string): readonly string[] => json.match(/\/\/.*/g) ?? [];
  expect(comments(copy)).toEqual(comments(text));
});
