// node dist/urql-live.js <the service's URL>
import { Client, fetchExchange } from '@urql/core'
import { ChangesDocument } from './generated/operations.js'
import { live } from './live.js'

const url = process.argv[2]!

const seen = await live(url, (follower, after) => {
  const client = new Client({
    url: `${url}/graphql`,
    exchanges: [fetchExchange],
    fetchSubscriptions: true,
    fetchOptions: () => ({ headers: follower.session.headers }),
    fetch: follower.fetch,
  })
  const { unsubscribe } = client
    .subscription(ChangesDocument, { after })
    .subscribe(({ data, error, hasNext }) => {
      if (error?.networkError) throw error
      // The last result only repeats the one before.
      if (hasNext) follower.next({ data, errors: error?.graphQLErrors })
      else follower.end()
    })
  return unsubscribe
})
console.log(JSON.stringify({ seen }))
