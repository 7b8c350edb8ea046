// What every client does with the service; it gives what it saw of the answers.
import { randomUUID } from 'node:crypto'
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { type DocumentNode, getOperationAST } from 'graphql'
import {
  CreateTaskDocument, DeleteTaskDocument, LoginDocument, RegisterDocument, TaskDocument,
  TasksDocument, type TasksQuery, UpdateTaskDocument, ViewerDocument,
} from './generated/operations.js'

/** Sends an operation through a client; the answer is what the client makes of it. */
type Ask = <Data, V extends Variables>(
  document: TypedDocumentNode<Data, V>,
  variables: V,
) => Promise<Answer<Data>>

export type Variables = Record<string, unknown>

/** A document for whatever variables it is sent with: `Ask` has seen to their types. */
export type Document<Data> = TypedDocumentNode<Data, any>

export interface Answer<Data> {
  data?: Data | null | undefined
  errors?: readonly { extensions?: Variables | undefined }[] | undefined
}

/** Where a client finds what it sends along. */
export class Session {
  token = ''

  get headers(): Record<string, string> {
    return this.token ? { authorization: `Bearer ${this.token}` } : {}
  }
}

export async function scenario(ask: Ask, session: Session) {
  const stranger = refusal(await ask(ViewerDocument, {}))

  const input = { username: `ann-${randomUUID()}`, password: 'correct horse battery' }
  const { register } = data(await ask(RegisterDocument, { input }))
  const { login } = data(await ask(LoginDocument, { input }))
  session.token = login.token
  const { viewer } = data(await ask(ViewerDocument, {}))

  for (let n = 1; n <= 60; n++) {
    await ask(CreateTaskDocument, { input: { title: `Task ${n}` } }).then(data)
  }
  const pages: TasksQuery['tasks'][] = []
  do {
    const after = pages.at(-1)?.pageInfo.endCursor
    pages.push(data(await ask(TasksDocument, { first: 25, after })).tasks)
  } while (pages.at(-1)?.pageInfo.hasNextPage)
  const tasks = pages.flatMap(({ edges }) => edges.map(({ node }) => node))

  const { id, version: expectedVersion } = tasks[0]!
  const change = { input: { id, expectedVersion, title: 'Changed' } }
  const { updateTask } = data(await ask(UpdateTaskDocument, change))
  const conflict = refusal(await ask(UpdateTaskDocument, change))
  const { deleteTask } = data(await ask(DeleteTaskDocument, { input: { id } }))
  const unknown = await ask(TaskDocument, { id })

  return {
    stranger,
    sameUser: new Set([register, login, { user: viewer }].map(({ user }) => user.id)).size === 1,
    username: viewer.username === input.username,
    pages: pages.map(({ edges }) => edges.length),
    titles: tasks.map(({ title }) => title),
    update: [updateTask.task.title, updateTask.task.version],
    conflict,
    deleted: deleteTask.deletedTaskId === id,
    unknown: [unknown.data, refusal(unknown)],
    emptyTitle: refusal(await ask(CreateTaskDocument, { input: { title: '' } })),
    badDate: refusal(await ask(CreateTaskDocument, { input: { title: 'Later', dueAt: 'soon' } })),
  }
}

/** Whether a document is one: clients have another method for mutations. */
export function isMutation(document: DocumentNode): boolean {
  return getOperationAST(document)?.operation === 'mutation'
}

/** The data of an answer that must have no errors. */
export function data<Data>(answer: Answer<Data>): Data {
  if (answer.errors?.length || !answer.data) throw new Error(JSON.stringify(answer))
  return answer.data
}

/** What the errors of an answer tell a program. */
function refusal({ errors }: Answer<unknown>) {
  return errors?.map(({ extensions }) => extensions)
}
