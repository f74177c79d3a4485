/** Data on the Hub that are proposed to begin with. */
export interface StarterData {
  /** As `dataset_name_or_path` takes it. */
  readonly name: string;
  /** As the Hub abbreviates it. */
  readonly licence: string;
  readonly rows: number;
}

/** Rows for instructions, sums and queries, whose licences allow to train on them; small ones first. */
export const STARTER_DATA: readonly StarterData[] = [
  { name: 'openai/gsm8k:main', licence: 'mit', rows: 7473 },
  { name: 'timdettmers/openassistant-guanaco', licence: 'apache-2.0', rows: 9846 },
  { name: 'databricks/databricks-dolly-15k', licence: 'cc-by-sa-3.0', rows: 15_011 },
  { name: 'meta-math/MetaMathQA-40K', licence: 'mit', rows: 40_000 },
  { name: 'yahma/alpaca-cleaned', licence: 'cc-by-4.0', rows: 51_760 },
  { name: 'b-mc2/sql-create-context', licence: 'cc-by-4.0', rows: 78_577 },
];
