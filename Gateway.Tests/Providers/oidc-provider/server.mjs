// A certified OpenID provider (npm oidc-provider) for the sign-in tests: real protocol, people without passwords.
// node server.mjs REDIRECT_URI POST_LOGOUT_URI BACKCHANNEL_URI [ALG]
// Prints its issuer when it listens. POST /test/rotate makes new keys; POST /test/end?sub=… signs somebody out everywhere.
import http from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [redirect, postLogout, backchannel, algorithm = 'RS256'] = process.argv.slice(2);
const people = {
  sam: { email: 'sam@example.test', email_verified: true, name: 'Sam Selfservice', preferred_username: 'sam', groups: ['staff'] },
  eve: { email: 'alice@example.test', email_verified: false, name: 'Eve', preferred_username: 'eve', groups: [] },
};

const makeKey = () => {
  const [type, options] = algorithm.startsWith('ES') ? ['ec', { namedCurve: 'P-256' }] : ['rsa', { modulusLength: 2048 }];
  return { ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: algorithm, use: 'sig' };
};

// Kept across key rotations, so that sessions survive them.
const records = new Map();
class Memory {
  constructor(model) { this.model = model; }
  key(id) { return `${this.model}:${id}`; }
  async upsert(id, payload) { records.set(this.key(id), payload); }
  async find(id) { return records.get(this.key(id)); }
  async findByUid(uid) { return [...records].find(([key, one]) => key.startsWith(`${this.model}:`) && one.uid === uid)?.[1]; }
  async findByUserCode() { return undefined; }
  async destroy(id) { records.delete(this.key(id)); }
  async consume(id) { records.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async revokeByGrantId(grant) { for (const [key, one] of records) if (one.grantId === grant) records.delete(key); }
}

let provider;
const build = (issuer) => {
  provider = new Provider(issuer, {
    adapter: Memory,
    jwks: { keys: [makeKey()] },
    clients: [{
      client_id: 'headtower', client_secret: 'the-secret-of-the-client-0123456789', redirect_uris: [redirect], post_logout_redirect_uris: [postLogout],
      backchannel_logout_uri: backchannel, backchannel_logout_session_required: true, id_token_signed_response_alg: algorithm,
    }],
    cookies: { keys: ['a key of this test run'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => { ctx.body = `<!doctype html><title>Sign out</title>${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`; },
      },
    },
    interactions: { url: (ctx, interaction) => `/people/${interaction.uid}` },
    findAccount: async (ctx, id) => people[id] && { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
    // Every client is ours: nobody is asked for consent.
    loadExistingGrant: async (ctx) => {
      const { client: { clientId }, session } = ctx.oidc;
      const known = session.grantIdFor(clientId);
      const grant = (known && await provider.Grant.find(known)) || new provider.Grant({ clientId, accountId: session.accountId });
      grant.addOIDCScope(ctx.oidc.params.scope);
      await grant.save();
      return grant;
    },
    // Its own would refuse to call loopback.
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  provider.on('backchannel.error', (ctx, error) => console.error(error));
};

const answer = async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/test/rotate') {
    build(provider.issuer);
    return response.end();
  }

  const person = /^\/people\/([^/]+)(?:\/(\w+))?$/.exec(url.pathname);
  if (!person) {
    return provider.callback()(request, response);
  }

  if (!person[2]) {
    response.setHeader('content-type', 'text/html');
    return response.end(`<!doctype html><title>Who are you?</title>${Object.keys(people).map((one) => `<p><a id="${one}" href="/people/${person[1]}/${one}">${one}</a>`).join('')}<p><a id="cancel" href="/people/${person[1]}/cancel">cancel</a>`);
  }

  return provider.interactionFinished(request, response, person[2] === 'cancel'
    ? { error: 'access_denied', error_description: 'the person said no' }
    : { login: { accountId: person[2] } }, { mergeWithLastSubmission: false });
};

const server = http.createServer((request, response) => answer(request, response).catch((error) => {
  console.error(error);
  response.statusCode = 500;
  response.end();
}));
server.listen(0, '127.0.0.1', () => {
  build(`http://127.0.0.1:${server.address().port}`);
  console.log(provider.issuer);
});
