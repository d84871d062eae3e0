'use strict';

const { open } = require('./open.cjs');
const { Google } = require('../generated/google.cjs');
const { Hibp } = require('../generated/hibp.cjs');
const { M365 } = require('../generated/m365.cjs');
const { Notify } = require('../generated/notify.cjs');
const { OnePassword } = require('../generated/onepassword.cjs');
const generated = require('../generated/sandbox.cjs');
const { Scim } = require('../generated/scim.cjs');
const { Stripe } = require('../generated/stripe.cjs');

/** The sandbox with its doors: what is opened against it. */
class Sandbox extends generated.Sandbox {
  /** The engine over the planted organisation, the tenant `acme`. */
  async open({ connectors } = {}) {
    return open(await this.config(), { connectors, secrets: await this.secrets() });
  }

  /** A client of the simulated 1Password; `respond` may suspend, `scan` may list. */
  async onepassword(credential = 'respond') {
    const [accepted, where] = await Promise.all([this.credentials(), this.addresses()]);
    const responds = credential === 'respond';
    return new OnePassword({
      accountId: accepted.accountId,
      clientId: responds ? accepted.respondClientId : accepted.scanClientId,
      clientSecret: responds ? accepted.respondClientSecret : accepted.scanClientSecret,
      eventsToken: accepted.eventsToken,
      baseUrl: where.onepasswordApi,
      eventsUrl: where.onepasswordEvents,
    });
  }

  /** A client of the simulated Microsoft 365; `respond` may change users, `scan` reads all. */
  async m365(credential = 'respond') {
    const [accepted, where] = await Promise.all([this.credentials(), this.addresses()]);
    const responds = credential === 'respond';
    return new M365({
      tenantId: accepted.m365TenantId,
      clientId: responds ? accepted.m365RespondClientId : accepted.m365ScanClientId,
      clientSecret: responds ? accepted.m365RespondClientSecret : accepted.m365ScanClientSecret,
      loginUrl: where.m365Login,
      graphUrl: where.m365Graph,
    });
  }

  /** A client of the simulated Google Workspace; `respond` may change users, `scan` reads all. */
  async google(credential = 'respond') {
    const [accepted, where] = await Promise.all([this.credentials(), this.addresses()]);
    const responds = credential === 'respond';
    return new Google({
      subject: accepted.googleSubject,
      serviceAccount: responds ? accepted.googleRespondKey : accepted.googleScanKey,
      baseUrl: where.googleApi,
      tokenUrl: where.googleToken,
    });
  }

  /** A client of the simulated Have I Been Pwned. */
  async hibp() {
    const [accepted, where] = await Promise.all([this.credentials(), this.addresses()]);
    return new Hibp({
      apiKey: accepted.hibpApiKey,
      apiUrl: where.hibpApi,
      passwordsUrl: where.hibpPasswords,
    });
  }

  /** A client of the simulated mail server; its mails go to `to`. */
  async notify({ to }) {
    const [accepted, where] = await Promise.all([this.credentials(), this.addresses()]);
    return new Notify({
      smtp: where.smtp,
      username: accepted.smtpUsername,
      password: accepted.smtpPassword,
      to,
    });
  }

  /** A client of the simulated SCIM application; `respond` may change users, `scan` reads. */
  async scim(credential = 'respond') {
    const [accepted, where] = await Promise.all([this.credentials(), this.addresses()]);
    const responds = credential === 'respond';
    const token = responds ? accepted.scimRespondToken : accepted.scimScanToken;
    return new Scim({ baseUrl: where.scim, token });
  }

  /** A client of the simulated Stripe, in test mode. */
  async stripe() {
    const [accepted, where] = await Promise.all([this.credentials(), this.addresses()]);
    return new Stripe({ secretKey: accepted.stripeRestrictedKey, baseUrl: where.stripeApi });
  }
}

/** Starts the simulated vendors. Given `node:test`'s context they stop with the test. */
function startSandbox(settings = {}, test = undefined) {
  const sandbox = new Sandbox(settings);
  test?.after(() => sandbox.close());
  return sandbox;
}

module.exports = { Sandbox, startSandbox };
