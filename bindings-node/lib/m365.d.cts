import type { CheckResult } from '../generated/engine.cjs';
import type { Evaluating, Snapshot } from './posture.cjs';

export * from '../generated/m365.cjs';
export type { CheckSettings, EvaluateConfig, Evaluating, Snapshot } from './posture.cjs';

/**
 * Decides every check of Microsoft 365 over a snapshot; asks nobody, and now is when the snapshot was
 * collected.
 */
export function evaluate(
  snapshot: Snapshot,
  options?: Evaluating<'scuba' | 'cis' | 'prowler'>,
): readonly CheckResult[];
