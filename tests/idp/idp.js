// A real OpenID provider (npm oidc-provider) for the end-to-end tests.
//
//   node idp.js PORT CONTROL_PORT
//
// On PORT: discovery, JWKS and POST /token (client_credentials, secret "secret"):
//   client_id  admin (roles: [admin]), reader (may ask for scope "read"), guest (no role), mtls
//   header     DPoP: the token is bound to the proof's key; x-test-certificate: PEM without lines
//   resource   urn:AUDIENCE:ALG:TTL, e.g. urn:api:ES256:300; algorithms RS256 PS256 ES256 EdDSA,
//              and OPAQUE for tokens that only this server can read
// POST /token/introspection, /token/revocation for the clients basic and post, whose names say how
// they send their secret, SERVER_SECRET.
// On CONTROL_PORT, for the tests only, POST with an optional JSON body:
//   /rotate       every algorithm gets a new key, which signs from now on; the old stay published
//   /rotate-drop  the same, and the old keys are gone
//   /replace      every algorithm gets a new key under its old key id; the old are gone
//   /mode         {"mode": "ok" | "hang" | "error" | "garbage"}: what PORT answers to everything
//   /sign         {"alg", "claims", "header"?}: any claims, signed with the current key
//   /proof        {"key", "claims"}: a DPoP proof by the key of this name, which is made when new;
//                 "token" adds its ath
//   /logout       {"client", "uri", "sub", "sid"?}: the provider's own back-channel logout to uri
//   /state        current key ids, and how many requests came for discovery and JWKS
import * as crypto from 'node:crypto';
import * as http from 'node:http';
import { promisify } from 'node:util';
import Provider from 'oidc-provider';

const HOST = '127.0.0.1';
const [PORT, CONTROL_PORT] = process.argv.slice(2).map(Number);
const ISSUER = `http://${HOST}:${PORT}`;
const pair = promisify(crypto.generateKeyPair);

const ALGS = {
	RS256: { make: ['rsa', { modulusLength: 2048 }], hash: 'sha256' },
	PS256: { make: ['rsa', { modulusLength: 2048 }], hash: 'sha256',
		sign: { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
	ES256: { make: ['ec', { namedCurve: 'P-256' }], hash: 'sha256',
		sign: { dsaEncoding: 'ieee-p1363' } },
	EdDSA: { make: ['ed25519', {}], hash: null },
};

const CLAIMS = {
	admin: { roles: ['admin', 'staff'] },
	reader: { roles: ['staff'] },
	guest: {},
	mtls: { roles: ['admin'] }, // its tokens are bound to the certificate of x-test-certificate
};

// What stands between BEGIN and END of a PEM certificate, or nothing.
function certificate(base64) {
	return base64 && `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`;
}
// Every byte of it has to be encoded somewhere (RFC 6749 2.3.1).
const SERVER_SECRET = 'a secret: +%&="/';
const SERVERS = ['basic', 'post'].map((name) => ({
	client_id: name,
	client_secret: SERVER_SECRET,
	grant_types: ['client_credentials'],
	response_types: [],
	redirect_uris: [],
	token_endpoint_auth_method: `client_secret_${name}`,
}));

let generation = 0;
let published = []; // private JWKs, the newest first
let current = {};   // algorithm -> { kid, key }
let built;          // the Provider itself
let provider;       // rebuilt with every rotation: its keys are fixed at construction
let mode = 'ok';
const seen = { discovery: 0, jwks: 0, introspection: 0 };

// kids: of the provider that is asked, which may be one that a rotation has just replaced.
function resource(urn, kids) {
	const [scheme, audience, alg, ttl] = urn.split(':');
	if (scheme === 'urn' && alg === 'OPAQUE')
		return {
			audience,
			scope: 'read write',
			accessTokenFormat: 'opaque',
			accessTokenTTL: Number(ttl || 300),
		};
	if (scheme !== 'urn' || !ALGS[alg])
		throw new Error(`unknown resource ${urn}`);
	return {
		audience,
		scope: 'read write',
		accessTokenFormat: 'jwt',
		accessTokenTTL: Number(ttl || 300),
		jwt: { sign: { alg, kid: kids[alg] } },
	};
}

function build() {
	const kids = Object.fromEntries(
		Object.entries(current).map(([alg, { kid }]) => [alg, kid]));
	return new Provider(ISSUER, {
		jwks: { keys: published },
		clients: [...SERVERS, ...Object.keys(CLAIMS).map((client_id) => ({
			client_id,
			client_secret: 'secret',
			grant_types: ['client_credentials'],
			response_types: [],
			redirect_uris: [],
			token_endpoint_auth_method: 'client_secret_post',
			tls_client_certificate_bound_access_tokens: client_id === 'mtls',
		}))],
		scopes: ['read', 'write'],
		features: {
			backchannelLogout: { enabled: true },
			dPoP: { enabled: true },
			mTLS: {
				enabled: true,
				certificateBoundAccessTokens: true,
				getCertificate: (ctx) => certificate(ctx.get('x-test-certificate')),
			},
			devInteractions: { enabled: false },
			clientCredentials: { enabled: true },
			introspection: { enabled: true },
			revocation: { enabled: true },
			resourceIndicators: {
				enabled: true,
				getResourceServerInfo: (ctx, urn) => resource(urn, kids),
			},
		},
		extraTokenClaims: (ctx, token) => ({ ...CLAIMS[token.clientId], sub: token.clientId }),
	});
}

async function rotate(drop, keepId = false) {
	generation += keepId ? 0 : 1;
	const fresh = [];
	const next = {};
	for (const [alg, { make }] of Object.entries(ALGS)) {
		const { privateKey } = await pair(...make);
		const kid = `${alg.toLowerCase()}-${process.pid}-${generation}`;
		next[alg] = { kid, key: privateKey };
		fresh.push({ ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });
	}
	current = next; // all at once: nothing waits from here on
	published = drop ? fresh : [...fresh, ...published];
	built = build();
	provider = built.callback();
}

function sign({ alg, claims, header = {} }) {
	const { kid, key } = current[alg];
	const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
	const input = `${part({ alg, typ: 'at+jwt', kid, ...header })}.${part(claims)}`;
	const signature = crypto.sign(ALGS[alg].hash, Buffer.from(input),
		{ key, ...ALGS[alg].sign });
	return `${input}.${signature.toString('base64url')}`;
}

// Keys of clients, by name.
const holders = new Map();

async function holder(name) {
	if (!holders.has(name))
		holders.set(name, await pair(...ALGS.ES256.make));
	return holders.get(name);
}

async function proof({ key: name, claims, token }) {
	const { privateKey, publicKey } = await holder(name);
	const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
	const ath = token && { ath: crypto.createHash('sha256').update(token).digest('base64url') };
	const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) };
	const input = `${part(header)}.${part({ jti: crypto.randomUUID(),
		iat: Math.floor(Date.now() / 1000), ...ath, ...claims })}`;
	const signature = crypto.sign('sha256', Buffer.from(input),
		{ key: privateKey, ...ALGS.ES256.sign });
	return { proof: `${input}.${signature.toString('base64url')}` };
}

// What a real end of a session makes the provider send to each of its clients.
async function logout({ client: id, uri, sub, sid }) {
	const client = await built.Client.find(id);
	client.backchannelLogoutUri = uri;
	client.backchannelLogoutSessionRequired = sid !== undefined;
	try {
		await client.backchannelLogout(sub, sid);
		return { status: 200 };
	} catch (error) {
		return { status: error.response?.statusCode ?? String(error) };
	}
}

const COMMANDS = {
	'/rotate': () => rotate(false),
	'/rotate-drop': () => rotate(true),
	'/replace': () => rotate(true, true),
	'/mode': (body) => { mode = body.mode; },
	'/sign': (body) => ({ token: sign(body) }),
	'/logout': (body) => logout(body),
	'/proof': (body) => proof(body),
	'/state': () => {},
};

function serve(req, res) {
	if (req.url === '/.well-known/openid-configuration')
		seen.discovery += 1;
	if (req.url === '/jwks')
		seen.jwks += 1;
	if (req.url === '/token/introspection')
		seen.introspection += 1;
	if (mode === 'hang')
		return;
	if (mode === 'error') {
		res.writeHead(500).end('broken\n');
		return;
	}
	if (mode === 'garbage') {
		res.writeHead(200, { 'content-type': 'application/json' }).end('{"keys": [');
		return;
	}
	provider(req, res);
}

async function control(req, res) {
	try {
		let text = '';
		for await (const chunk of req)
			text += chunk;
		const answer = await COMMANDS[req.url](text ? JSON.parse(text) : {});
		const kids = Object.fromEntries(
			Object.entries(current).map(([alg, { kid }]) => [alg, kid]));
		res.end(JSON.stringify({ mode, kids, published: published.length, seen, ...answer }));
	} catch (error) {
		res.writeHead(500).end(JSON.stringify({ error: String(error) }));
	}
}

await rotate(true);
http.createServer(serve).listen(PORT, HOST, () =>
	http.createServer(control).listen(CONTROL_PORT, HOST, () => console.log('ready')));
