// A real OpenID provider for the tests of single sign-on. It prints its issuer once it listens, and ends with its
// standard input. Whoever comes is signed in at once as the person whom login_hint names, as JSON: sub, email, verified;
// without one they are asked for their address, and believed.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [redirect] = process.argv.slice(2);
const server = createServer((request, response) => handle(request, response));
let handle;
const people = new Map(); // by subject, as they were last named

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      { client_id: 'public', token_endpoint_auth_method: 'none', redirect_uris: [redirect] },
      { client_id: 'confidential', client_secret: 'a secret of the tests', redirect_uris: [redirect] },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    async findAccount(ctx, sub) {
      const { email, verified } = people.get(sub);
      return { accountId: sub, claims: async () => ({ sub, email, email_verified: verified }) };
    },
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  handle = async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    const { params } = await provider.interactionDetails(request, response);
    const person = params.login_hint ? JSON.parse(params.login_hint) : await whoTheySayTheyAre(request);
    if (!person) return response.setHeader('Content-Type', 'text/html; charset=utf-8').end(question);
    people.set(person.sub, person);
    await provider.interactionFinished(request, response, { login: { accountId: person.sub } });
  };
  console.log(issuer);
});

const question = `<!doctype html><html lang="en"><title>The tests' provider</title><main><h1>Who are you?</h1>
<form method="post"><label>Work address <input name="email" type="email" required></label> <button>I am</button></form></main></html>`;

async function whoTheySayTheyAre(request) {
  if (request.method !== 'POST') return undefined;
  let body = '';
  for await (const piece of request) body += piece;
  const email = new URLSearchParams(body).get('email');
  return { sub: `subject of ${email}`, email, verified: true };
}

process.stdin.on('end', () => process.exit(0)).resume();
