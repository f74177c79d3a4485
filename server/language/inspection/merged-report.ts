import {
  type DatasetReport,
  IssueCollector,
  type IssueList,
  MAX_LISTED_ISSUES,
} from '../../../engine/data/report.ts';

/** The reports of several sets as one: counts are summed, and lists follow each other. */
export function mergedReport(reports: readonly [DatasetReport, ...DatasetReport[]]): DatasetReport {
  const [first, ...others] = reports;
  return others.reduce((merged, report) => {
    const entries = Object.entries(merged).map(([key, value]) => [
      key,
      mergedValue(value, report[key as keyof DatasetReport]),
    ]);
    const longest = Math.max(merged.longest, report.longest);
    return { ...(Object.fromEntries(entries) as DatasetReport), longest };
  }, first);
}

type ReportValue = DatasetReport[keyof DatasetReport];

function mergedValue(one: ReportValue, other: ReportValue): unknown {
  if (typeof one === 'number') return one + Number(other);
  if (Array.isArray(one)) return [...new Set([...one, ...(other as readonly string[])])];
  const [first, second] = [one as IssueList, other as IssueList];
  const merged = new IssueCollector();
  merged.first.push(...[...first.first, ...second.first].slice(0, MAX_LISTED_ISSUES));
  merged.count = first.count + second.count;
  return merged;
}
