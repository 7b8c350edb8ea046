// Apollo Server 5 as its documentation starts it: the standalone server, caches as they are by
// default (documents, persisted queries), no usage reporting.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { serve } from './cluster.mjs'
import { context, resolvers, typeDefs } from './tasks.mjs'

await serve(async (port) => {
  const server = new ApolloServer({ typeDefs, resolvers })
  await startStandaloneServer(server, {
    listen: { port, host: '127.0.0.1' },
    context: async ({ req }) => context(req.headers.authorization, req.headers['x-changes'] === '1'),
  })
})
