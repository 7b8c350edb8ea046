import { createHash } from 'node:crypto'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { connect } from './apollo-client.js'
import { CreateTaskDocument, TasksDocument, ViewerDocument } from './generated/operations.js'

/** Operations are sent by their hash; the document follows if the service does not know it. */
export async function persisted() {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const byPost = connect(new PersistedQueryLink({ sha256 }))
  const byGet = connect(new PersistedQueryLink({ sha256, useGETForHashedQueries: true }))
  const fetchPolicy = 'network-only'
  const viewers = []
  for (const { client } of [byPost, byPost, byGet]) {
    const { data } = await client.query({ query: ViewerDocument, fetchPolicy })
    viewers.push(data!.viewer.id)
  }
  const { client } = byGet
  const lengths = []
  for (const first of [1, 2]) {
    const { data } = await client.query({ query: TasksDocument, variables: { first }, fetchPolicy })
    lengths.push(data!.tasks.edges.length)
  }
  const { data } = await client.mutate({
    mutation: CreateTaskDocument,
    variables: { input: { title: 'By hash' } },
  })
  return {
    sameViewer: new Set(viewers).size === 1,
    lengths,
    created: data!.createTask.task.title,
    byPost: byPost.wire.requests,
    byGet: byGet.wire.requests,
  }
}
