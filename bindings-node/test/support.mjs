/** What `new OnePassword(...)` takes to call the simulated one with the application that may suspend. */
export async function optionsOf(sandbox) {
  const [accepted, where] = await Promise.all([sandbox.credentials(), sandbox.addresses()]);
  return {
    accountId: accepted.accountId,
    clientId: accepted.respondClientId,
    clientSecret: accepted.respondClientSecret,
    baseUrl: where.onepasswordApi,
    eventsUrl: where.onepasswordEvents,
  };
}
