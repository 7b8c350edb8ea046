import { setTimeout } from 'node:timers/promises'
import { connect } from './apollo-client.js'
import {
  CreateTaskDocument, DeleteTaskDocument, TasksDocument, type TasksQuery, UpdateTaskDocument,
} from './generated/operations.js'

/** A list that is shown follows mutations without being fetched again. */
export async function cached() {
  const { client, cache, wire } = connect()
  const list = client.watchQuery({ query: TasksDocument, variables: { first: 25 } })
  let shown: TasksQuery['tasks'] | undefined
  list.subscribe(({ data, dataState }) => {
    if (dataState === 'complete') shown = data.tasks
  })
  const seen: unknown[] = []
  async function look() {
    await setTimeout(0) // the cache tells its watchers in the next turn of the event loop
    const { title, status } = shown!.edges[0]!.node
    seen.push([shown!.edges.length, title, status])
  }

  await client.query({ query: TasksDocument, variables: { first: 25 } })
  await look()

  const created = await client.mutate({
    mutation: CreateTaskDocument,
    variables: { input: { title: 'Newest' } },
    update: (cache, { data }) => cache.modify({
      fields: {
        tasks: (tasks, { toReference }) => {
          const node = toReference(data!.createTask.task)
          return { ...tasks, edges: [{ __typename: 'TaskEdge', cursor: '', node }, ...tasks.edges] }
        },
      },
    }),
  })
  await look()

  const { id } = created.data!.createTask.task
  await client.mutate({
    mutation: UpdateTaskDocument,
    variables: { input: { id, status: 'COMPLETED' } },
  })
  await look()

  while (shown!.pageInfo.hasNextPage) {
    await list.fetchMore({ variables: { after: shown!.pageInfo.endCursor } })
    await look()
  }

  await client.mutate({
    mutation: DeleteTaskDocument,
    variables: { input: { id } },
    update: (cache) => cache.evict({ id: cache.identify({ __typename: 'Task', id }) }),
  })
  await look()

  return {
    seen,
    titles: shown!.edges.map(({ node }) => node.title),
    inCache: Object.keys(cache.extract()).filter((key) => key.startsWith('Task:')).length,
    requests: wire.requests,
  }
}
