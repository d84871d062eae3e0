import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Protect } from '../generated/engine.cjs';

/**
 * Answers one request: connectors' routes, the API and the pages. `peer` is the network address that it comes
 * from, where it is known: whoever signs a policy signs from there.
 */
export function handle(p: Protect, request: Request, options?: { peer?: string }): Promise<Response>;

/**
 * A handler for Express, Connect or `node:http`. Put it before anything that reads bodies; mount it at the
 * root of an origin of its own, since pages link to `/t/...`.
 */
export function toExpress(
  p: Protect,
): (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;
