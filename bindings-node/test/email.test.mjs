import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { Email, ProtectError, email } from 'protect-sdk';

/** A name server that answers every question with a code of failure, or with nothing at all. */
const nameServer = (t, code) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('message', (question, { port, address }) => {
      if (code === undefined) return;
      const answer = Buffer.from(question);
      answer[2] |= 0x80;
      answer[3] = (answer[3] & 0xf0) | code;
      socket.send(answer, port, address);
    });
    socket.bind(0, '127.0.0.1', () => resolve(`127.0.0.1:${socket.address().port}`));
    t.after(() => socket.close());
  });

test('a domain about which nothing is answered is unknown, and not missing anything', async (t) => {
  const resolver = await nameServer(t, 5);
  const audit = await email.audit('b.example', { resolver });
  assert.equal(audit.domain, 'b.example');
  assert.equal(audit.complete, false);
  assert.equal(audit.score.total, null);
  const missing = audit.results.find((result) => result.check === 'email.dmarc.missing');
  assert.equal(missing.verdict, 'not_evaluated');
});

test('a name that does not exist is missing everything, and gets records to publish', async (t) => {
  const resolver = await nameServer(t, 3);
  const proposals = await email.propose('b.example', { resolver });
  assert.ok(proposals.some((proposal) => proposal.name === '_dmarc.b.example'));
  const decision = await email.spf('192.0.2.1', 'a@b.example', { resolver });
  assert.equal(decision.result, 'none');
});

test('a call about a silent name server is given up when its signal says so', async (t) => {
  const resolver = await nameServer(t);
  const gone = new AbortController();
  setTimeout(() => gone.abort(), 50);
  await assert.rejects(email.audit('b.example', { resolver, signal: gone.signal }), { name: 'AbortError' });
  const late = new Email({ resolver }).audit('b.example', { timeoutMs: 100 });
  await assert.rejects(late, (error) => error instanceof ProtectError && error.kind === 'timeout');
});

test('what is no domain is refused', async () => {
  await assert.rejects(email.audit('a..b'), (error) => error.kind === 'invalid_input');
});

const reportXml = () => readFile(new URL('../../tests/mail/report.xml', import.meta.url));

test('a report is read with what could not be used beside it', async () => {
  const xml = await reportXml();
  for (const data of [xml, gzipSync(xml), new Uint8Array(xml)]) {
    const report = email.parseReport(data);
    assert.equal(report.records.length, 1);
    assert.equal(report.records[0].sourceIp, '192.0.2.7');
    assert.equal(report.records[0].count, 12);
    assert.equal(report.issues.recordsLost, 1);
    assert.equal(report.issues.listed.length, 1);
  }
  assert.throws(() => email.parseReport(Buffer.from('<html></html>')), (error) => error.kind === 'invalid_input');
  assert.throws(() => email.parseReport('text'), (error) => error.kind === 'invalid_input');
});

test('a folder of reports is summed up, and a report that comes twice counts once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'reports-'));
  t.after(() => rm(folder, { recursive: true }));
  const xml = await reportXml();
  await writeFile(join(folder, 'a.xml'), xml);
  await writeFile(join(folder, 'b.xml.gz'), gzipSync(xml));
  const overview = await email.readReports(folder);
  assert.equal(overview.tally.reports, 1);
  assert.equal(overview.tally.duplicates, 1);
  assert.deepEqual(overview.domains.map((it) => it.domain), ['acme.example']);
});
