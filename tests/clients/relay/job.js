// node relay/job.js <the service's URL> <token>: pages through a list, and fetches a task again.
// (It is CommonJS: the compiler's ES modules import each other without an extension, as only
// bundlers allow.)
const {
  createOperationDescriptor, Environment, fetchQuery, getSelector, Network, RecordSource, Store,
} = require('relay-runtime')
const user = require('./__generated__/documents_user.graphql')
const task = require('./__generated__/documents_task.graphql')
const query = require('./__generated__/documentsQuery.graphql')
const taskQuery = require('./__generated__/documentsTaskQuery.graphql')
const tasksQuery = require('./__generated__/documentsTasksQuery.graphql')

const [, , url, token] = process.argv

const environment = new Environment({
  network: Network.create(async ({ text }, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: text, variables }),
    })
    return response.json()
  }),
  store: new Store(new RecordSource()),
})

async function load(request, variables) {
  const operation = createOperationDescriptor(request, variables)
  environment.retain(operation)
  await fetchQuery(environment, request, variables).toPromise()
  return environment.lookup(operation.fragment).data
}

const read = (fragment, reference) => environment.lookup(getSelector(fragment, reference)).data

async function main() {
  const { viewer } = await load(query, { count: 10 })
  const list = () => read(user, viewer).tasks
  const pages = [list().edges.length]
  while (list().pageInfo.hasNextPage) {
    await load(tasksQuery, { id: viewer.id, count: 10, cursor: list().pageInfo.endCursor })
    pages.push(list().edges.length)
  }
  const [{ node }] = list().edges
  const before = read(task, node)
  await fetch(`${url}/api/v1/tasks/${node.id}`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ title: 'Changed' }),
  })
  await load(taskQuery, { id: node.id })
  const after = read(task, node)
  const titles = list().edges.map((edge) => read(task, edge.node).title)
  console.log(JSON.stringify({ pages, before, after, titles }))
}

main()
