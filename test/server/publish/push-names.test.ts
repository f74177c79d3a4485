import { describe, expect, test } from 'vitest';
import { branchProblem, repositoryProblem } from '../../../server/publish/push-names.ts';

const ONE_SENTENCE = /^The (repository|branch) name .+; give .+\.$/s;

describe('names of repositories', () => {
  test.each([
    ...['my-adapter', 'somebody/my-adapter', 'a', '_x', 'owner/Llama-3.1_8B', 'owner/config'],
    'x'.repeat(96),
  ])('%j can be taken', (name) => {
    expect(repositoryProblem(name)).toBeUndefined();
  });

  test.each([
    ['', 'is empty'],
    ['a/b/c', 'more than one "/"'],
    ['/a', 'does not begin and end'],
    ['a/', 'does not begin and end'],
    ['first one', 'other characters'],
    ['~', 'other characters'],
    ['../x', 'does not begin and end'],
    ['.git', 'does not begin and end'],
    ['owner/.git', 'does not begin and end'],
    ['owner/x.git', 'ends in ".git"'],
    ['owner/x-', 'does not begin and end'],
    ['-x', 'does not begin and end'],
    ['a--b', '"--" or ".."'],
    ['a..b', '"--" or ".."'],
    ['CON', 'device of Windows'],
    ['owner/nul', 'device of Windows'],
    ['Com1.x/y', 'device of Windows'],
    ['owner/x.gguf', 'the path of a file'],
    ['x.safetensors', 'the path of a file'],
    ['x'.repeat(97), 'longer than 96'],
    ['adapter\u202Etxt', 'other characters'],
    ['naïve', 'other characters'],
    ['a\nb', 'other characters'],
  ])('%j is refused: %s', (name, cause) => {
    expect(repositoryProblem(name)).toMatch(ONE_SENTENCE);
    expect(repositoryProblem(name)).toContain(cause);
  });
});

describe('names of branches', () => {
  test.each(['main', 'v2', 'feature/x_1', 'a-', 'HEADs', 'x/head', 'abc123'])(
    '%j can be taken',
    (name) => {
      expect(branchProblem(name)).toBeUndefined();
    },
  );

  test.each([
    ['', 'is empty'],
    ['HEAD', 'git calls the commit'],
    ['x y', 'other characters'],
    ['~', 'other characters'],
    ['main~1', 'other characters'],
    ['a@{1}', 'other characters'],
    ['main\u2066', 'other characters'],
    ['../main', 'has a part'],
    ['a..b', 'has a part'],
    ['.git', 'has a part'],
    ['a//b', 'has a part'],
    ['a/', 'has a part'],
    ['-x', 'has a part'],
    ['x.', 'has a part'],
    ['x.lock', 'ends in ".lock"'],
    ['x.git/y', 'ends in ".lock" or ".git"'],
    ['refs/heads/main', 'begins with "refs/"'],
    ['CON', 'device of Windows'],
    ['x/aux.1', 'device of Windows'],
    ['a'.repeat(40), 'the form of a commit'],
    ['x'.repeat(241), 'longer than 240'],
  ])('%j is refused: %s', (name, cause) => {
    expect(branchProblem(name)).toMatch(ONE_SENTENCE);
    expect(branchProblem(name)).toContain(cause);
  });
});
