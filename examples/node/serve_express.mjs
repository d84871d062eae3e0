/**
 * The pages and what comes in, by a server of yours: `node serve_express.mjs protect.toml`. This one is Node's own;
 * with Express it is `express().use(toExpress(p)).listen(8080)`, before anything that reads bodies.
 */
import { createServer } from 'node:http';

import { open, toExpress } from 'protect-sdk';

const p = await open(process.argv[2] ?? 'protect.toml');
const server = createServer(toExpress(p));
server.listen(8080, '127.0.0.1', () => console.log('http://localhost:8080'));
process.once('SIGINT', () => server.close(() => p.close()));
