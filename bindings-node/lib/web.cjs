'use strict';

// What comes in, for web servers: over `fetch`'s own classes, and for Express.

/** The largest body that is taken; every route's own limit is smaller. */
const LIMIT = 4 * 1024 * 1024;

/** Answers a `Request` with a `Response`. */
async function handle(p, request) {
  const url = new URL(request.url);
  const body = request.body === null ? Buffer.alloc(0) : await read(request.body);
  const answer = await answered(p, request.method, url.pathname + url.search, Object.fromEntries(request.headers), body);
  const headers = new Headers();
  for (const { name, value } of answer.headers) headers.append(name, value);
  const empty = [101, 204, 205, 304].includes(answer.status) || request.method === 'HEAD';
  return new Response(empty ? null : Buffer.from(answer.body, 'base64'), { status: answer.status, headers });
}

/** A handler for Express, Connect or `node:http`: `app.use('/protect', toExpress(p))`. */
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
  const body = await read(request);
  const answer = await answered(p, request.method, request.url, headers, body);
  response.statusCode = answer.status;
  const cookies = answer.headers.filter(({ name }) => name === 'set-cookie').map(({ value }) => value);
  for (const { name, value } of answer.headers) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  response.end(Buffer.from(answer.body, 'base64'));
}

function answered(p, method, path, headers, body) {
  return p.exchange(method, path, headers, { body: body.toString('base64') });
}

/** A body, or as much of it as is enough to be refused. */
async function read(stream) {
  const chunks = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LIMIT) break;
  }
  return Buffer.concat(chunks);
}

module.exports = { handle, toExpress };
