import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client'
import { SetContextLink } from '@apollo/client/link/context'
import { relayStylePagination } from '@apollo/client/utilities'
import { Session } from './scenario.js'
import { Wire } from './wire.js'

export const session = new Session()

/** A client of its own behind `links`, with its cache and its wire. */
export function connect(...links: ApolloLink[]) {
  const wire = new Wire()
  const authorize = new SetContextLink(() => ({ headers: session.headers }))
  const http = new HttpLink({ uri: `${process.argv[2]}/graphql`, fetch: wire.fetch })
  const cache = new InMemoryCache({
    typePolicies: { Query: { fields: { tasks: relayStylePagination() } } },
  })
  const link = ApolloLink.from([...links, authorize, http])
  return { client: new ApolloClient({ link, cache }), cache, wire }
}
