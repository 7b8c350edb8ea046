// GraphQL Yoga's subscriptions over server-sent events, by its own PubSub, in one process: a task
// is written as in yoga.mjs, with its change in the transaction, and then published.
import { createServer } from 'node:http'
import { createPubSub, createSchema, createYoga } from 'graphql-yoga'
import { context, resolvers, typeDefs } from './tasks.mjs'

const pubSub = createPubSub()

const live = {
  ...resolvers,
  Mutation: {
    ...resolvers.Mutation,
    async createTask(parent, args, context) {
      const payload = await resolvers.Mutation.createTask(parent, args, context)
      pubSub.publish('changes', context.viewer, { kind: 'TASK_CREATED', task: payload.task })
      return payload
    },
  },
  Subscription: {
    changes: {
      subscribe: (_parent, _args, { viewer }) => pubSub.subscribe('changes', viewer),
      resolve: (change) => change,
    },
  },
}
const types = `${typeDefs}
  type Change { kind: String! task: Task }
  type Subscription { changes: Change! }`

const yoga = createYoga({
  schema: createSchema({ typeDefs: types, resolvers: live }),
  logging: 'error',
  graphiql: false,
  context: ({ request }) => context(request.headers.get('authorization'), true),
})
createServer(yoga).listen(Number(process.env.PORT), '127.0.0.1')
