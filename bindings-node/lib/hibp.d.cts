import type { Assessment, Breach } from '../generated/hibp.cjs';
import type { Init } from './types.cjs';

export * from '../generated/hibp.cjs';

/** How breaches are judged. */
export interface Judging {
  /** `default`, which counts unless said, has four levels; `one_protect` has three. */
  profile?: 'default' | 'one_protect' | undefined;
  /** Whether passwords whose storage nobody states are critical. */
  unknownFormIsCritical?: boolean | undefined;
}

/**
 * Judges breaches from what the catalogue says alone; asks nobody.
 *
 * @param breaches - as Have I Been Pwned answers `/breaches`: its JSON text, its items, or models of them.
 */
export function evaluate(
  breaches: string | readonly (Init<Breach> | { readonly [name: string]: unknown })[],
  options?: Judging,
): readonly Assessment[];

/** Judges one breach; see `evaluate`. */
export function classify(breach: Init<Breach> | { readonly [name: string]: unknown }, options?: Judging): Assessment;
