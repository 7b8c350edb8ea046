// node dist/urql.js <the service's URL>
import { cacheExchange, Client, fetchExchange } from '@urql/core'
import {
  type Answer, type Document, isMutation, scenario, Session, type Variables,
} from './scenario.js'
import { Wire } from './wire.js'

const session = new Session()
const wire = new Wire()
const client = new Client({
  url: `${process.argv[2]}/graphql`,
  exchanges: [cacheExchange, fetchExchange],
  fetchOptions: () => ({ headers: session.headers }),
  fetch: wire.fetch,
})

async function ask<Data>(document: Document<Data>, variables: Variables): Promise<Answer<Data>> {
  const sent = isMutation(document)
    ? client.mutation(document, variables)
    : client.query(document, variables)
  const { data, error } = await sent
  if (error?.networkError) throw error
  return { data, errors: error?.graphQLErrors }
}

const seen = { ...(await scenario(ask, session)), mediaTypes: [...wire.mediaTypes] }
console.log(JSON.stringify({ seen }))
