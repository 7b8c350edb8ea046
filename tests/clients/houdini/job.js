// node houdini/job.js <the service's URL> <token>: pages with the queries that Houdini has generated.
// Of a fragment on User it makes one that finds the user again by `node(id:)`.
import first from './generated/artifacts/Tasks.js'
import next from './generated/artifacts/UserTasks_Pagination_Query.js'

const [, , url, token] = process.argv

async function ask({ raw }, variables) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: raw, variables }),
  })
  return (await response.json()).data
}

const { viewer } = await ask(first, {})
let page = viewer.tasks
const pages = [page.edges.map(({ node }) => node.title)]
while (page.pageInfo.hasNextPage) {
  const { node } = await ask(next, { id: viewer.id, first: 10, after: page.pageInfo.endCursor })
  page = node.tasks
  pages.push(page.edges.map(({ node }) => node.title))
}
console.log(JSON.stringify(pages))
