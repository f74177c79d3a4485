import type { ConfigForm } from '../../server/language/config-form.ts';

/** Put in by the build, which makes it from the schema. */
declare const CONFIG_FORM: ConfigForm;

/** The form that this page shows. */
export const configForm: ConfigForm = CONFIG_FORM;
