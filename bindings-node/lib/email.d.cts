import type { AggregateReport, FailureReport, ReportsOverview, TlsReport } from '../generated/email.cjs';

export * from '../generated/email.cjs';

/** A report of any of the three kinds. */
export type Report = AggregateReport | FailureReport | TlsReport;

/**
 * Reads one report: XML, JSON, gzip, a zip archive or a whole message. What cannot be used of it is
 * listed under `issues`; what is no report is an error of kind `invalid_input` with the place.
 */
export function parseReport(data: Uint8Array): Report;

/** Reads a file of reports, or every file below a folder, and gives what they say together. */
export function readReports(path: string): Promise<ReportsOverview>;
