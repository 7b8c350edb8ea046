// node dist/graphql-sse.js <the service's URL>
import { print } from 'graphql'
import { createClient } from 'graphql-sse'
import { ChangesDocument, type ChangesSubscription } from './generated/operations.js'
import { type Answer, live } from './live.js'

const url = process.argv[2]!
const query = print(ChangesDocument)

const seen = await live(url, (follower, after) => {
  const client = createClient({
    url: `${url}/graphql`,
    headers: () => follower.session.headers,
    fetchFn: follower.fetch,
  })
  return client.subscribe<ChangesSubscription>({ query, variables: { after } }, {
    next: (answer) => follower.next(answer as Answer),
    error: (error) => { throw error },
    complete: () => follower.end(),
  })
})
console.log(JSON.stringify({ seen }))
