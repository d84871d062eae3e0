// The pages and what comes in, by Express: `npm install express && node serve_express.mjs protect.toml`.
// Without Express the same handler serves `node:http`.
import { createServer } from 'node:http';

import { open, toExpress } from 'protect-sdk';

const p = await open(process.argv[2] ?? 'protect.toml');
const express = await import('express').catch(() => undefined);
const handler = toExpress(p);
const server = express === undefined ? createServer(handler) : createServer(express.default().use(handler));
server.listen(8080, '127.0.0.1', () => console.log('http://localhost:8080'));
process.once('SIGINT', () => server.close(() => p.close()));
