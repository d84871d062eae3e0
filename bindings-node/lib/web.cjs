'use strict';

// What comes in, for web servers: over `fetch`'s own classes, and for Express.

const { isIP } = require('node:net');

/** How long what is left of a body that is too large is thrown away, in milliseconds, before the connection ends. */
const PATIENCE = 1000;

/** Answers a `Request` with a `Response`. */
async function handle(p, request, { peer } = {}) {
  const url = new URL(request.url);
  const path = url.pathname + url.search;
  const body = request.body === null ? Buffer.alloc(0) : await readWeb(request.body, await p.bodyLimit(request.method, path));
  const answer = await answered(p, request.method, path, Object.fromEntries(request.headers), body, peer);
  const headers = new Headers();
  for (const { name, value } of answer.headers) headers.append(name, value);
  const empty = [101, 204, 205, 304].includes(answer.status) || request.method === 'HEAD';
  return new Response(empty ? null : Buffer.from(answer.body, 'base64'), { status: answer.status, headers });
}

/** A handler for Express, Connect or `node:http`: `app.use(toExpress(p))`. */
function toExpress(p) {
  return (request, response, next) => {
    respond(p, request, response).catch((error) => {
      if (typeof next === 'function') next(error);
      else response.destroy(error);
    });
  };
}

async function respond(p, request, response) {
  const headers = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const limit = await p.bodyLimit(request.method, request.url);
  const body = await readNode(request, limit);
  // Express looks behind the proxies that it was told to trust.
  const peer = request.ip ?? request.socket?.remoteAddress;
  const answer = await answered(p, request.method, request.url, headers, body, peer);
  response.statusCode = answer.status;
  const cookies = answer.headers.filter(({ name }) => name === 'set-cookie').map(({ value }) => value);
  for (const { name, value } of answer.headers) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  if (body.length > limit) {
    // The rest is thrown away for a moment, so that whoever sends it comes to read the answer.
    response.setHeader('connection', 'close');
    response.once('finish', () => {
      request.resume();
      setTimeout(() => request.destroy(), PATIENCE).unref();
    });
  }
  response.end(Buffer.from(answer.body, 'base64'));
}

function answered(p, method, path, headers, body, peer) {
  // A scope (`fe80::1%eth0`) is nothing that somebody elsewhere could read.
  const address = peer?.split('%')[0];
  return p.exchange(method, path, headers, { body: body.toString('base64'), ...(isIP(address ?? '') ? { peer: address } : {}) });
}

/** A body, or as much of it as is enough to be refused. */
async function readWeb(stream, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) break;
  }
  return Buffer.concat(chunks);
}

/** The same of a request of Node, which is not given up when enough was read: its connection carries the answer. */
function readNode(request, limit) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let length = 0;
    const leave = (settle, value) => {
      request.off('data', take).off('end', end).off('error', fail).off('close', broken);
      settle(value);
    };
    const end = () => leave(resolve, Buffer.concat(chunks));
    const fail = (error) => leave(reject, error);
    const broken = () => fail(new Error('the request broke off'));
    const take = (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limit) {
        request.pause();
        end();
      }
    };
    // Somebody who reads bodies may have been here before.
    if (request.readableEnded) return end();
    request.on('data', take).on('end', end).on('error', fail).on('close', broken);
  });
}

module.exports = { handle, toExpress };
