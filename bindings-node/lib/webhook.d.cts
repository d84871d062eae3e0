import type { VerifiedMessage } from '../generated/webhook.cjs';

export * from '../generated/webhook.cjs';

/**
 * Whether a message is signed by whom it says (Standard Webhooks); throws a `ProtectError` of kind
 * `unauthenticated` where it is not. `headers` are those of a request of Node or of `fetch`, `body` is as
 * it came; of several secrets any one may have signed. Keep the ids for ten minutes and act on each once.
 */
export function verify(
  headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>,
  body: Uint8Array,
  secret: string | readonly string[],
  options?: {
    /** Another time than now. */
    now?: Date | undefined;
  },
): VerifiedMessage;
