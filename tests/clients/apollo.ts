// node dist/apollo.js <the service's URL>
import { CombinedGraphQLErrors } from '@apollo/client'
import { cached } from './apollo-cache.js'
import { connect, session } from './apollo-client.js'
import { persisted } from './apollo-persisted.js'
import { type Answer, type Document, isMutation, scenario, type Variables } from './scenario.js'

const { client, wire } = connect()
// Not from the cache: the scenario looks at each page by itself.
const options = { fetchPolicy: 'no-cache', errorPolicy: 'all' } as const

async function ask<Data>(document: Document<Data>, variables: Variables): Promise<Answer<Data>> {
  const { data, error } = isMutation(document)
    ? await client.mutate({ mutation: document, variables, ...options })
    : await client.query({ query: document, variables, ...options })
  if (error && !CombinedGraphQLErrors.is(error)) throw error
  return { data: data as Data | undefined, errors: error?.errors }
}

const seen = { ...(await scenario(ask, session)), mediaTypes: [...wire.mediaTypes] }
// One after the other: both go on with the scenario's user and tasks.
console.log(JSON.stringify({ seen, cached: await cached(), persisted: await persisted() }))
