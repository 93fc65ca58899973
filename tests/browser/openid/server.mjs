/**
 * An issuer of OpenID Connect for tests: oidc-provider, which is certified, with one
 * account and two clients. Its address goes to stdout; on stdin it is told, as one line
 * of JSON, where the calendar is and what is said of who signs in:
 * {"page", "tenantId", "practitionerId", "seconds"}. It ends when stdin does.
 *
 * Run in the folder that oidc-provider is installed in.
 */
import { createServer } from 'node:http'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const library = (file) => import(pathToFileURL(`${process.cwd()}/node_modules/oidc-provider/lib/${file}`))
const { default: Provider } = await library('index.js')
const { default: MemoryAdapter } = await library('adapters/memory_adapter.js')

const RESOURCE = 'urn:scheduling'
const SCOPES = 'scheduling:read scheduling:book scheduling:manage scheduling:admin'
const ACCOUNT = 'reception'

let told = { page: null, tenantId: null, practitionerId: null, seconds: 600 }

const clients = () => ({
  calendar: {
    client_id: 'calendar',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [told.page],
    post_logout_redirect_uris: [told.page],
  },
  // Tests make things with its tokens.
  builder: {
    client_id: 'builder',
    client_secret: 'builder-of-tests',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  },
})

class Adapter extends MemoryAdapter {
  async find(id) {
    return this.model === 'Client' ? clients()[id] : super.find(id)
  }
}

const page = (title, body) =>
  `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' }

function configuration() {
  return {
    adapter: Adapter,
    jwks: { keys: [key] },
    cookies: { keys: [randomUUID()] },
    scopes: ['openid', 'profile', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'] },
    clientBasedCORS: (_ctx, origin) => origin === new URL(told.page).origin,
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: 'Reception' }) }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // Whoever signs in may what the client asks for: it is the clinic's own.
    loadExistingGrant: async (ctx) => {
      const { client, session, provider } = ctx.oidc
      const known = session.grantIdFor(client.clientId)
      if (known) return provider.Grant.find(known)
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid profile')
      grant.addResourceScope(RESOURCE, SCOPES)
      await grant.save()
      return grant
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    extraTokenClaims: async () => ({
      tenant_id: told.tenantId,
      ...(told.practitionerId ? { practitioner_id: told.practitionerId } : {}),
    }),
    ttl: { AccessToken: () => told.seconds, ClientCredentials: 600, Session: 3600, Grant: 3600, Interaction: 600, IdToken: 600, RefreshToken: 3600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => RESOURCE,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          audience: 'scheduling',
          scope: SCOPES,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => {
          ctx.body = page('Sign out', `${form}<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`)
        },
      },
    },
  }
}

async function interact(provider, request, response) {
  if (request.method === 'GET') {
    const { prompt } = await provider.interactionDetails(request, response)
    if (prompt.name !== 'login') throw new Error(`nobody answers the prompt ${prompt.name}`)
    response.setHeader('Content-Type', 'text/html')
    response.end(page('Sign in at the issuer', '<form method="post"><button>Sign in as reception</button></form>'))
  } else {
    await provider.interactionFinished(request, response, { login: { accountId: ACCOUNT } })
  }
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(address, configuration())
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response)
    interact(provider, request, response).catch((error) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })
  console.log(address)
})

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => (told = { ...told, ...JSON.parse(line) }))
lines.on('close', () => process.exit(0))
