/** What a sandbox is started with. */
export interface SandboxSettings {
  /** Who works in the organisation, its credentials, the generated catalogue: all by the seed. */
  seed?: number;
  /** How many people the 1Password account has: 40 unless set, never fewer than 8. */
  users?: number;
  /** A file with breaches, as HIBP's `/breaches` answers them, instead of generated ones. */
  catalogue?: string;
  /** Other people's rows in each answer to a HIBP range: 40 unless set. */
  rangeRows?: number;
  /** Whether the vendors' rate limits hold: they do unless set. */
  rateLimits?: boolean;
}

/** A JSON object as the sandbox writes it. */
export interface Plain {
  readonly [name: string]: any;
}

/** The running simulators. */
export class Sandbox implements AsyncDisposable {
  private constructor();
  /** Addresses: `base_url`, `hibp_api`, `hibp_passwords`, `onepassword_api`, `onepassword_events`, `webhook`. */
  readonly urls: { readonly [name: string]: string };
  /** What the simulated vendors accept; it opens nothing but this sandbox. */
  readonly credentials: { readonly [name: string]: string };
  /** What `new OnePassword(...)` takes to call the simulated one. */
  onepassword(application?: 'scan' | 'respond'): {
    accountId: string;
    clientId: string;
    clientSecret: string;
    eventsToken: string;
    baseUrl: string;
    eventsUrl: string;
  };
  /** Who and what was planted to be found. */
  planted(): Promise<Plain>;
  /** How things are at the vendors. */
  state(): Promise<Plain>;
  /** Every request so far. */
  requests(): Promise<Plain[]>;
  /** Every change of state so far: a client that only looked has left none. */
  transitions(): Promise<Plain[]>;
  /** Every broken rule so far; a correct client leaves this empty. */
  violations(): Promise<Plain[]>;
  /** Switches a fault on: its name, or all of it. */
  setFault(fault: string | Plain): Promise<unknown>;
  /** Switches every fault off. */
  clearFaults(): Promise<unknown>;
  /** Moves the vendors' clock. */
  advanceClock(seconds: number): Promise<unknown>;
  /** Changes a 1Password user as a person in the vendor's console would. */
  editUser(id: string, changes: Plain): Promise<unknown>;
  /** Appends events as the vendor writes them. */
  appendEvents(stream: 'signinattempts' | 'itemusages' | 'auditevents', items: readonly Plain[]): Promise<unknown>;
  /** Publishes a breach, in HIBP's shape, that these addresses are in. */
  publishBreach(breach: Plain, accounts: readonly string[]): Promise<unknown>;
  /** Back to the beginning. Credentials stay. */
  reset(): Promise<unknown>;
  /** Stops listening. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts the simulated vendors inside this process, on a free port of 127.0.0.1. Given the context of
 * `node:test`, they stop with the test.
 */
export function startSandbox(
  settings?: SandboxSettings,
  test?: { after(then: () => unknown): unknown },
): Promise<Sandbox>;
