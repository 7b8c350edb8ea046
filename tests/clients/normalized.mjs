// node normalized.mjs <the service's URL> <token>: caches that know tasks by their ids.
// A task that one document shows is changed by another one, and nothing is fetched again.
import { ApolloClient, gql as apolloGql, HttpLink, InMemoryCache } from '@apollo/client'
import { Client, fetchExchange, gql } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'

const [, , url, token] = process.argv
const headers = { Authorization: `Bearer ${token}` }
let requests = 0
const counted = (input, init) => {
  requests += 1
  return fetch(input, init)
}
const LIST = '{ tasks(first: 2) { nodes { id title parent { id title } } } }'
const CHANGE = `mutation ($input: UpdateTaskInput!) {
  updateTask(input: $input) { task { id title } } }`
const turn = () => new Promise((resolve) => setTimeout(resolve, 0))

async function graphcache() {
  requests = 0
  const client = new Client({
    url: `${url}/graphql`,
    fetch: counted,
    fetchOptions: { headers },
    exchanges: [cacheExchange({ keys: { TaskConnection: () => null } }), fetchExchange],
  })
  const shown = []
  const query = client.query(gql(LIST), {})
  const { unsubscribe } = query.subscribe(({ data }) => shown.push(data.tasks.nodes))
  await query.toPromise()
  const child = shown.at(-1).find(({ parent }) => parent)
  const input = { id: child.parent.id, title: 'by urql' }
  await client.mutation(gql(CHANGE), { input }).toPromise()
  await turn()
  unsubscribe()
  return { parent: shown.at(-1).find(({ parent }) => parent).parent.title, requests }
}

async function apolloFragment() {
  requests = 0
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: `${url}/graphql`, fetch: counted, headers }),
  })
  const { data } = await client.query({ query: apolloGql(LIST) })
  const child = data.tasks.nodes.find(({ parent }) => parent)
  const titles = []
  const fragment = apolloGql('fragment Title on Task { title }')
  const from = { __typename: 'Task', id: child.parent.id }
  const watch = client.watchFragment({ fragment, from }) // what useFragment subscribes to
  const subscription = watch.subscribe(({ data }) => titles.push(data.title))
  await turn()
  const variables = { input: { id: child.parent.id, title: 'by Apollo' } }
  await client.mutate({ mutation: apolloGql(CHANGE), variables })
  await turn()
  subscription.unsubscribe()
  return { titles, requests }
}

console.log(JSON.stringify({ graphcache: await graphcache(), apollo: await apolloFragment() }))
