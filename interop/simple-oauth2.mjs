// simple-oauth2 sends the credentials percent-encoded in its strict mode and raw in its loose one. By default it also wants
// JSON in answer to a revocation, which has no body (RFC 7009 section 2.2): "json: true" is its lenient mode.
import { ClientCredentials } from 'simple-oauth2';
import { paths, run, settings } from './walk.mjs';

const client = new ClientCredentials({
  client: { id: settings.id, secret: settings.secret },
  auth: { tokenHost: settings.base, tokenPath: paths.token, revokePath: paths.revoke },
  http: { json: true },
  options: { credentialsEncodingMode: process.env.INTEROP_ENCODING },
});
let token;

await run({
  async token() {
    token = await client.getToken({ scope: 'openid' });
    return token.token.access_token;
  },
  revoke: () => token.revoke('access_token'),
});
