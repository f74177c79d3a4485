import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ownTag, TAG_PATTERN } from '../process-mark.ts';

/** What is not complete, or not wanted any more, and the process that it belongs to. */
export const TEMPORARY = new RegExp(`^\\..+\\.(${TAG_PATTERN})-[0-9a-f]{8}\\.tmp$`);

/** A name beside `target` that nothing has yet, which {@link sweepTemporaries} knows. */
export function temporaryName(target: string): string {
  const unique = `${ownTag()}-${randomBytes(4).toString('hex')}`;
  return path.join(path.dirname(target), `.${path.basename(target)}.${unique}.tmp`);
}

/** Whether a name is one of what {@link sweepTemporaries} removes, once its process is gone. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}
