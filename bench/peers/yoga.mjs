// GraphQL Yoga 5 on Node's own server, caches as they are by default (parsing, validation), and
// its plugin for automatic persisted queries, which forgets them after 36 seconds if nobody says
// otherwise: in the middle of a run.
import { createServer } from 'node:http'
import { createInMemoryAPQStore, useAPQ } from '@graphql-yoga/plugin-apq'
import { createSchema, createYoga } from 'graphql-yoga'
import { serve } from './cluster.mjs'
import { context, resolvers, typeDefs } from './tasks.mjs'

await serve((port) => {
  const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers }),
    logging: 'error',
    graphiql: false,
    plugins: [useAPQ({ store: createInMemoryAPQStore({ ttl: 3_600_000 }) })],
    context: ({ request }) => context(request.headers.get('authorization'), request.headers.get('x-changes') === '1'),
  })
  createServer(yoga).listen(port, '127.0.0.1')
})
