import type {
  AggregateReport,
  DomainAudit,
  FailureReport,
  Proposal,
  ReportsOverview,
  SpfDecision,
  TlsReport,
} from '../generated/email.cjs';
import type { PerCall } from './types.cjs';

export * from '../generated/email.cjs';

/** How to look. */
export interface AuditOptions extends PerCall {
  /** The name server to ask, `IP` or `IP:PORT`; the machine's own where left out. */
  resolver?: string | undefined;
  /** DKIM selectors that the domain is known to use. */
  selectors?: readonly string[] | undefined;
  /**
   * Whether DKIM keys are looked for under every selector that many domains use, also where one was
   * found; false where left out.
   */
  allSelectors?: boolean | undefined;
  /** Your own mailboxes for reports. */
  rua?: readonly string[] | undefined;
  /** Whether MTA-STS policies are fetched; true where left out. */
  fetchPolicies?: boolean | undefined;
}

/** Everything about a domain's mail authentication. What DNS does not answer is part of it. */
export function audit(domain: string, options?: AuditOptions): Promise<DomainAudit>;

/** The records to publish for a domain, each with its reason and its risk. */
export function propose(domain: string, options?: AuditOptions): Promise<readonly Proposal[]>;

/** What a receiver would answer for one message by SPF, and which term decides. */
export function spf(
  ip: string,
  sender: string,
  options?: PerCall & {
    /** What the sending host calls itself. */
    helo?: string | undefined;
    /** The name server to ask. */
    resolver?: string | undefined;
  },
): Promise<SpfDecision>;

/** A report of any of the three kinds. */
export type Report = AggregateReport | FailureReport | TlsReport;

/**
 * Reads one report: XML, JSON, gzip, a zip archive or a whole message. What cannot be used of it is
 * listed under `issues`; what is no report is an error of kind `invalid_input` with the place.
 */
export function parseReport(data: Uint8Array): Report;

/** Reads a file of reports, or every file below a folder, and gives what they say together. */
export function readReports(path: string): Promise<ReportsOverview>;
