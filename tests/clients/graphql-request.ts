// node dist/graphql-request.js <the service's URL>
import { ClientError, GraphQLClient } from 'graphql-request'
import { type Answer, type Document, scenario, Session, type Variables } from './scenario.js'
import { Wire } from './wire.js'

const session = new Session()
const wire = new Wire()
const client = new GraphQLClient(`${process.argv[2]}/graphql`, {
  headers: () => session.headers,
  fetch: wire.fetch,
})

async function ask<Data>(document: Document<Data>, variables: Variables): Promise<Answer<Data>> {
  try {
    return { data: await client.request(document, variables) }
  } catch (error) {
    if (error instanceof ClientError) return error.response as Answer<Data>
    throw error
  }
}

const seen = { ...(await scenario(ask, session)), mediaTypes: [...wire.mediaTypes] }
console.log(JSON.stringify({ seen }))
