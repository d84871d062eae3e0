import type { Protect } from '../generated/engine.cjs';
import type { Google } from '../generated/google.cjs';
import type { Hibp } from '../generated/hibp.cjs';
import type { M365 } from '../generated/m365.cjs';
import type { Notify } from '../generated/notify.cjs';
import type { OnePassword } from '../generated/onepassword.cjs';
import * as generated from '../generated/sandbox.cjs';
import type { Scim } from '../generated/scim.cjs';
import type { Stripe } from '../generated/stripe.cjs';
import type { ConnectorClass } from './types.cjs';

/** Simulated vendors on loopback, in this process: `await using sandbox = new Sandbox()`. */
export class Sandbox extends generated.Sandbox {
  /** The engine over the planted organisation, the tenant `acme`. */
  open(options?: {
    /** Kinds of connector written in JavaScript, for the configuration to name. */
    connectors?: readonly ConnectorClass[] | undefined;
  }): Promise<Protect>;
  /** A client of the simulated 1Password; `respond`, which counts unless said, may suspend, `scan` may list. */
  onepassword(credential?: 'scan' | 'respond'): Promise<OnePassword>;
  /** A client of the simulated Microsoft 365; `respond`, which counts unless said, may change users, `scan` reads all. */
  m365(credential?: 'scan' | 'respond'): Promise<M365>;
  /** A client of the simulated Google Workspace; `respond`, which counts unless said, may change users, `scan` reads all. */
  google(credential?: 'scan' | 'respond'): Promise<Google>;
  /** A client of the simulated Have I Been Pwned. */
  hibp(): Promise<Hibp>;
  /** A client of the simulated mail server; its mails go to `to`. */
  notify(options: { to: string[] }): Promise<Notify>;
  /** A client of the simulated SCIM application; `respond`, which counts unless said, may change users, `scan` reads. */
  scim(credential?: 'scan' | 'respond'): Promise<Scim>;
  /** A client of the simulated Stripe, in test mode. */
  stripe(): Promise<Stripe>;
}

/**
 * Starts the simulated vendors inside this process, on a free port of 127.0.0.1. Given the context of
 * `node:test`, they stop with the test.
 */
export function startSandbox(
  settings?: ConstructorParameters<typeof generated.Sandbox>[0],
  test?: { after(then: () => unknown): unknown },
): Sandbox;
