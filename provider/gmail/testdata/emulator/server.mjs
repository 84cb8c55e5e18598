// Serves the accounts named in the arguments on a free port, and says which. Their id tokens are
// from Google, as far as they say. The access token of each is "seed:" and its address.
import { createServer, serve } from '@emulators/core'
import google, { seedFromConfig } from '@emulators/google'

const baseUrl = 'https://accounts.google.com'
const addresses = process.argv.slice(2)
const s = createServer(google, { port: 0, baseUrl, tokens: {} })
seedFromConfig(s.store, baseUrl, {
  users: addresses.map((email) => ({ email, name: email })),
  oauth_clients: [{
    client_id: 'client', client_secret: 'secret', name: 'Test', redirect_uris: ['https://host.example/back'],
  }],
})
addresses.forEach((login, n) => s.tokenMap.set('seed:' + login, { login, id: n + 1, scopes: [] }))
const server = serve({ fetch: s.app.fetch, port: 0, hostname: '127.0.0.1' })
server.on('listening', () => console.log(server.address().port))
