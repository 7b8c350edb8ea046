// GraphQL Yoga 5 on Node's own server, caches as they are by default (parsing, validation), and
// its plugin for automatic persisted queries.
import { createServer } from 'node:http'
import { useAPQ } from '@graphql-yoga/plugin-apq'
import { createSchema, createYoga } from 'graphql-yoga'
import { serve } from './cluster.mjs'
import { context, resolvers, typeDefs } from './tasks.mjs'

await serve((port) => {
  const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers }),
    logging: 'error',
    graphiql: false,
    plugins: [useAPQ()],
    context: ({ request }) => context(request.headers.get('authorization')),
  })
  createServer(yoga).listen(port, '127.0.0.1')
})
