import type {
  Account, AccountPage, Action, ActionKind, Applied, Delivered, Delivery, Diagnosis, ErrorKind, Preview, Probe, Protect, Retry, ScanPage,
  ScanRequest,
} from '../generated/engine.cjs';

/** What every call takes beside its own options. */
export interface PerCall {
  /** Gives the call up: its connection is closed, and its promise rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the call is given up with an error of kind `timeout`; for each page of a stream. */
  timeoutMs?: number | undefined;
}

/** A secret: its text, or a function that gives it each time it is needed. Nothing shows it. */
export type Secret = string | (() => string | Promise<string>);

/**
 * What every model is: a frozen object with its fields in camel case. What this version does not
 * know, a field or a word of an enumeration, is kept as it came.
 */
export abstract class Model {
  protected constructor(plain: object);
  /** The form that crosses to Python and to `--json`: names in snake case, moments as RFC 3339. */
  toJSON(): { [name: string]: unknown };
}

type Nullable<T> = { [K in keyof T]-?: null extends T[K] ? K : undefined extends T[K] ? K : never }[keyof T];

/** What a model can be made from: a model, or a plain object in camel case or as in JSON. */
export type Init<T> = T extends Model
  ? { readonly [K in Exclude<keyof T, Nullable<T> | 'toJSON'>]: Init<T[K]> } & {
      readonly [K in Exclude<Nullable<T>, 'toJSON'>]?: Init<T[K]> | undefined;
    }
  : T extends readonly (infer Item)[]
    ? readonly Init<Item>[]
    : T;

/** What every class is that calls the engine. Printing one shows nothing. */
export abstract class Client implements AsyncDisposable {
  protected constructor();
  /**
   * Lets go of connections and files, which are no longer in use then. A call after it is an error; calls under way go
   * on, but for those of the engine that still need its store.
   */
  close(): void;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Why a call failed: the same envelope in all languages. Match on `kind`; nobody parses text. */
export class ProtectError extends Error {
  /** For a connector or a secret's function to throw: the engine keeps the kind and whether to try again. */
  constructor(
    fields: {
      kind: ErrorKind;
      message: string;
      retryable?: boolean | undefined;
      retryAfterMs?: number | null | undefined;
      operation?: string | undefined;
      httpStatus?: number | null | undefined;
      context?: { readonly [name: string]: string } | undefined;
    },
    options?: { cause?: unknown },
  );
  /** `ProtectError`, or `AbortError` where the caller's signal ended the call; its reason is `cause`. */
  override name: string;
  /** `ABORT_ERR` where the caller's signal ended the call. */
  readonly code?: 'ABORT_ERR';
  /** What went wrong, in terms that a program can act on. */
  readonly kind: ErrorKind;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** The finer answer to the same question. */
  readonly retry: Retry;
  /** Milliseconds the vendor asked us to wait, where it did; made for `setTimeout`. */
  readonly retryAfterMs: number | undefined;
  /** The operation that failed, such as `onepassword.suspend_user`. */
  readonly operation: string;
  /** The HTTP status that was answered, where one was. */
  readonly httpStatus: number | null;
  /** Facts such as tenant, connection, field. Never a secret, an address or a full URL. */
  readonly context: { readonly [name: string]: string };
  /** The envelope as plain data. */
  toJSON(): { [name: string]: unknown };
}

/** Opens the engine from a configuration file, or from an object of the same shape. No vendor is called. */
export function open(
  source: string | URL | { readonly [name: string]: unknown },
  options?: {
    /** Kinds of connector written in JavaScript, for the configuration to name. */
    connectors?: readonly ConnectorClass[] | undefined;
    /** Secrets that the configuration names as `{ provided: "name" }`. A function in its place will do, too. */
    secrets?: { readonly [name: string]: Secret } | undefined;
  },
): Promise<Protect>;

/** The version of the engine inside this package. */
export function version(): string;

/** What a connector is made with. */
export interface ConnectorSetup {
  /** The tenant it works for. */
  readonly tenant: string;
  /** Its name in the configuration. */
  readonly name: string;
  /** What the tenant set for it, by the names of `settings`. */
  readonly settings: { readonly [name: string]: unknown };
}

/**
 * A kind of connector written in JavaScript. Its methods say which roles it plays: `scan` a scanner;
 * `list` and `get` a directory; `preview`, `apply` and `probe` a remediator; `deliver` a sink. What they
 * throw ends that one step with an error: a `ProtectError` keeps its kind, and of anything else the engine keeps only
 * the class. `NODE_DEBUG=protect` shows the exception itself.
 */
export interface ConnectorClass {
  new (setup: ConnectorSetup): Scanner | Directory | Remediator | Sink;
  /** The kind's name in the configuration. */
  readonly kind: string;
  /** What it is, in one or two sentences. */
  readonly docs?: string;
  /** The checks it decides. */
  readonly checks?: readonly string[];
  /** The actions it does, each with how a repeat behaves. */
  readonly actions?: { readonly [action in ActionKind]?: EffectClass };
  /** How often scanning it makes sense, in seconds. */
  readonly scanEverySeconds?: number;
  /** What a tenant may set for it. */
  readonly settings?: { readonly [name: string]: 'text' | 'integer' | 'boolean' | 'texts' | 'duration' | 'path' };
  /** What it stores with its pages and wants back. */
  readonly stateKeys?: readonly string[];
  /** The texts that a rule's `template` may name, where a sink has any. */
  readonly templates?: readonly string[];
}

/** How a repeated action behaves. */
export type EffectClass = 'state_idempotent' | 'key_idempotent' | 'search_before_create' | 'non_idempotent';

type Awaitable<T> = T | Promise<T>;

/** What every connector may have. */
export interface Diagnosable {
  /** What `doctor` says about it; left out, it is taken to be reachable. */
  diagnose?(): Awaitable<Init<Diagnosis>>;
}

/** Finds what is wrong. */
export interface Scanner extends Diagnosable {
  /** One page; called again with its cursor while it says `more`. */
  scan(request: ScanRequest): Awaitable<Partial<Init<ScanPage>>>;
}

/** Lists accounts. */
export interface Directory extends Diagnosable {
  /** One page of accounts; called again with its cursor until that is null. */
  list(cursor: string | null): Awaitable<Partial<Init<AccountPage>>>;
  /**
   * What changed since an earlier reading whose last page gave `changesFrom`; null where the vendor
   * does not tell, or no longer. Left out, accounts are always listed anew.
   */
  changes?(since: string): Awaitable<Partial<Init<AccountPage>> | null>;
  /** One account, or null where there is none of this id. */
  get(id: string): Awaitable<Init<Account> | null>;
}

/** Changes accounts. */
export interface Remediator extends Diagnosable {
  /** What would change. Changes nothing. */
  preview(action: Action): Awaitable<Init<Preview>>;
  /**
   * Makes the change, once. `action.id` is the idempotency key. A `ProtectError` that is not retryable
   * says that nothing was changed; after anything else the engine asks `probe`.
   */
  apply(action: Action): Awaitable<Init<Applied>>;
  /** Did it happen? */
  probe(action: Action): Awaitable<Init<Probe>>;
}

/** Is told things: receives incidents, tickets, events, notices. */
export interface Sink extends Diagnosable {
  /**
   * Delivers once; `delivery.actionId` is the idempotency key, and `delivery.noteTo` names an open item
   * that this is a note to. What it throws means what it means for `apply`.
   */
  deliver(delivery: Delivery): Awaitable<Init<Delivered>>;
  /** What stands open under our reference. Needed for `search_before_create` actions alone. */
  find?(wanted: { readonly kind: ActionKind; readonly sourceReference: string }): Awaitable<Init<Delivered> | null>;
}
