// node dist/apollo-live.js <the service's URL>
import {
  ApolloClient, ApolloLink, CombinedGraphQLErrors, InMemoryCache, Observable,
} from '@apollo/client'
import { print } from 'graphql'
import { type Client, createClient } from 'graphql-sse'
import { ChangesDocument } from './generated/operations.js'
import { live } from './live.js'

const url = process.argv[2]!

class EventsLink extends ApolloLink {
  constructor(private readonly client: Client) {
    super()
  }

  override request({ query, variables, operationName }: ApolloLink.Operation) {
    return new Observable<ApolloLink.Result>((observer) =>
      this.client.subscribe({ query: print(query), variables, operationName }, {
        next: (result) => observer.next(result as ApolloLink.Result),
        error: (error) => observer.error(error),
        complete: () => observer.complete(),
      }),
    )
  }
}

const seen = await live(url, (follower, after) => {
  const link = new EventsLink(createClient({
    url: `${url}/graphql`,
    headers: () => follower.session.headers,
    fetchFn: follower.fetch,
  }))
  const client = new ApolloClient({ link, cache: new InMemoryCache() })
  const subscription = client
    .subscribe({ query: ChangesDocument, variables: { after }, errorPolicy: 'all' })
    .subscribe({
      next: ({ data, error }) => {
        if (error && !CombinedGraphQLErrors.is(error)) throw error
        follower.next({ data, errors: error?.errors })
      },
      error: (error) => { throw error },
      complete: () => follower.end(),
    })
  return () => subscription.unsubscribe()
})
console.log(JSON.stringify({ seen }))
