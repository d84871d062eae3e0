/**
 * The pages and what comes in, by Express: `npm install protect-sdk express`, and `node serve_express.mjs protect.toml 8080`.
 * `toExpress` answers whatever gets to it: routes of your own stand before it, and nothing there reads the bodies meant for it.
 */
import express from 'express';
import { open, toExpress } from 'protect-sdk';

const [config = 'protect.toml', port = '8080'] = process.argv.slice(2);
const p = await open(config);
const server = express()
  .use(toExpress(p))
  .listen(Number(port), '127.0.0.1', () => console.log(`http://localhost:${server.address().port}`));
process.once('SIGINT', () => {
  server.close(() => p.close());
  server.closeIdleConnections();
});
