import { parseHubName } from '../../engine/hub/hub-name.ts';
import { quote } from '../../engine/quote.ts';

/**
 * What is wrong with the names of repositories and branches, by the rules of the Hub (`validate_repo_id` of huggingface_hub)
 * and of git (`git check-ref-format`), and by what those who fetch it can have on their disks.
 */

/** The longest name of a repository, without its owner. */
const LONGEST_NAME = 96;

/** The longest name of a branch: git keeps it as a file, and another one beside it while it is written. */
const LONGEST_BRANCH = 240;

const DEVICE_IN_IT = 'has the name of a device of Windows in it, where nobody could fetch it';

const FOR_A_REPOSITORY = 'give owner/name, or a name of your own, like my-adapter';
const FOR_A_BRANCH = 'give another one, like main';

/**
 * @param given `owner/name`, or a name below the user's own
 * @returns a sentence; undefined for a name that can be taken
 */
export function repositoryProblem(given: string): string | undefined {
  const parts = given.split('/');
  const name = parts.at(-1)!;
  const owner = parts.length > 1 ? parts[0]! : 'owner';
  const cause = first([
    [given === '', 'is empty'],
    [parts.length > 2, 'has more than one "/"'],
    [
      /[^\w./-]/.test(given),
      'has other characters than letters of English, digits, "-", "_" and "."',
    ],
    [
      parts.some((part) => !/^\w(?:.*\w)?$/.test(part)),
      'has a part that does not begin and end with a letter, a digit or "_"',
    ],
    [/--|\.\./.test(given), 'has "--" or ".." in it, which the hub does not take'],
    [/\.git$/i.test(name), 'ends in ".git", which is what git calls the place of a repository'],
    [name.length > LONGEST_NAME, `is longer than ${LONGEST_NAME} characters`],
    [parts.some(isDevice), DEVICE_IN_IT],
    // A name of the Hub is told from a path by its form, wherever somebody writes it.
    [parseHubName(`${owner}/${name}`) === undefined, 'would be taken for the path of a file'],
  ]);
  return cause && `The repository name ${quote(given)} ${cause}; ${FOR_A_REPOSITORY}.`;
}

/** @returns a sentence; undefined for a name that can be taken */
export function branchProblem(given: string): string | undefined {
  const parts = given.split('/');
  const cause = first([
    [given === '', 'is empty'],
    [
      /[^\w./-]/.test(given),
      'has other characters than letters of English, digits, "-", "_", "." and "/"',
    ],
    [
      given.includes('..') || parts.some((part) => !/^\w(?:.*[\w-])?$/.test(part)),
      'has a part that is empty, begins with no letter, digit or "_", or has a "." at its end or twice',
    ],
    [/^head$/i.test(given), 'is what git calls the commit that one is at'],
    [
      parts.some((part) => /\.(?:lock|git)$/i.test(part)),
      'has a part that ends in ".lock" or ".git", which git keeps for itself',
    ],
    [parts[0] === 'refs', 'begins with "refs/", where the hub keeps what is no branch'],
    [/^[0-9a-f]{40}$/i.test(given), 'has the form of a commit'],
    [given.length > LONGEST_BRANCH, `is longer than ${LONGEST_BRANCH} characters`],
    [parts.some(isDevice), DEVICE_IN_IT],
  ]);
  return cause && `The branch name ${quote(given)} ${cause}; ${FOR_A_BRANCH}.`;
}

/** What is said of the first that holds. */
function first(causes: readonly (readonly [holds: boolean, cause: string])[]): string | undefined {
  return causes.find(([holds]) => holds)?.[1];
}

/** Whether Windows takes it for a device, whatever comes behind a dot. */
function isDevice(part: string): boolean {
  return /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(part);
}
