import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Protect } from '../generated/engine.cjs';

/**
 * Answers one request: connectors' routes, the API and the pages. A `Request` does not say from which network
 * address it came; whoever knows says it in `clientAddress`.
 */
export function handle(p: Protect, request: Request, from?: { clientAddress?: string }): Promise<Response>;

/**
 * A handler for Express, Connect or `node:http`. Put it before anything that reads bodies; mount it at the
 * root of an origin of its own, since pages link to `/t/...`.
 */
export function toExpress(
  p: Protect,
): (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;
