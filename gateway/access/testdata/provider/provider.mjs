// A certified OpenID provider (node-oidc-provider) on this machine, with two clients: the console, and a producer that gets
// JWTs by client credentials. The redirect URI of the console is the argument. Prints its issuer when it listens.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const audience = 'https://brevdue.example/api';
const jwk = (type, options, extra) =>
  ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', ...extra });

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: {
      keys: [
        jwk('rsa', { modulusLength: 2048 }, { kid: 'rsa', alg: 'RS256' }),
        jwk('ec', { namedCurve: 'P-256' }, { kid: 'ec', alg: 'ES256' }),
      ],
    },
    cookies: { keys: ['not a secret: a test'] },
    clients: [
      {
        client_id: 'console', client_secret: 'console-secret', redirect_uris: [process.argv[2]],
        response_types: ['code'], grant_types: ['authorization_code'],
      },
      {
        client_id: 'huskeservice', client_secret: 'huske-secret', redirect_uris: [], response_types: [],
        grant_types: ['client_credentials'],
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['preferred_username', 'roles'] },
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: `${id}@testby.example`, roles: id === 'stranger' ? [] : ['brevdue-' + id] }),
    }),
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: '', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
process.stdin.on('end', () => process.exit(0)).resume(); // ends with the test
