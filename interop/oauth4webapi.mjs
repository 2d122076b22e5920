// oauth4webapi follows the standards to the letter: it encodes every byte of the credentials that is no letter or digit,
// and refuses answers and metadata that depart from a specification. The metadata name the endpoints of one version; both
// are tried.
import * as oauth from 'oauth4webapi';
import { paths, run, settings } from './walk.mjs';

async function authorizationServer() {
  const issuer = new URL(settings.base);
  const found = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }));
  return { ...found, token_endpoint: settings.base + paths.token, revocation_endpoint: settings.base + paths.revoke };
}

const as = await authorizationServer();
const client = { client_id: settings.id };
const auth = oauth.ClientSecretBasic(settings.secret);
let token;

await run({
  async token() {
    const response = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'openid' });
    const result = await oauth.processClientCredentialsResponse(as, client, response);
    token = result.access_token;
    return token;
  },
  async revoke() {
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token));
  },
});
