// What every client does with its token, whichever library got it: walk all pages in both spellings of the parameters,
// suspend somebody, let them back in. The report goes to standard output as JSON; e2e/interop_test.go judges it.
import assert from 'node:assert/strict';

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set`);

export const settings = {
  base: env('ROLLCALL_BASE_URL'),
  account: env('ROLLCALL_ACCOUNT_ID'),
  id: env('ROLLCALL_CLIENT_ID'),
  secret: env('ROLLCALL_CLIENT_SECRET'),
  version: env('INTEROP_VERSION'), // v1beta1 or v1
  person: env('INTEROP_PERSON'), // whom to suspend
};

export const paths = {
  v1beta1: { token: '/v1beta1/users/oauth2/token', revoke: '/v1beta1/users/oauth2/revoke' },
  v1: { token: '/v1/oauth/token', revoke: '/v1/oauth/revoke' },
}[settings.version];

const users = `${settings.base}/${settings.version}/accounts/${settings.account}/users`;

const ask = (token, url, method = 'GET') =>
  fetch(url, { method, headers: { authorization: `Bearer ${token}`, 'user-agent': 'Interop/1.0' } });

async function json(response) {
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

// pages returns the ids of each page.
async function pages(token, sizeName, tokenName) {
  const found = [];
  let query = new URLSearchParams({ [sizeName]: '7' });
  while (query) {
    const page = await json(await ask(token, `${users}?${query}`));
    found.push(page.results.map((user) => user.id));
    query = page.next_page_token && new URLSearchParams({ [sizeName]: '7', [tokenName]: page.next_page_token });
  }
  return found;
}

// run takes a client: token() resolves to an access token, revoke() ends it.
export async function run({ token, revoke }) {
  const bearer = await token();
  const report = {
    snake: await pages(bearer, 'max_page_size', 'page_token'),
    camel: await pages(bearer, 'maxPageSize', 'pageToken'),
    suspended: (await json(await ask(bearer, `${users}/${settings.person}:suspend`, 'POST'))).state,
    reactivated: (await json(await ask(bearer, `${users}/${settings.person}:reactivate`, 'POST'))).state,
  };
  await revoke();
  report.after_revocation = (await ask(bearer, users)).status;
  process.stdout.write(JSON.stringify(report));
}
