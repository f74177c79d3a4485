import * as z from 'zod/mini';

/* What messages of several subjects hold. */

/** Of a message that says all by its name. */
export const nothing = z.object({});

/** Path of a folder. */
export const folder = z.string().check(z.minLength(1));
