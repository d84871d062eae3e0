import type { CheckResult } from '../generated/engine.cjs';
import type { Evaluating, Snapshot } from './posture.cjs';

export * from '../generated/google.cjs';
export type { CheckSettings, EvaluateConfig, Evaluating, Snapshot } from './posture.cjs';

/**
 * Decides every check of Google Workspace over a snapshot; asks nobody, and now is when the snapshot was
 * collected.
 */
export function evaluate(
  snapshot: Snapshot,
  options?: Evaluating<'scuba' | 'cis'>,
): readonly CheckResult[];
