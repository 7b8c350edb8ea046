// What both peers share: the part of schema.graphql that is measured, on the service's own tables
// and items, with its tokens. Written as one would for production: connections are kept (the SDK's
// default, said here), owners go through a DataLoader, a change is one conditional UpdateItem.
// Where a request has the header `X-Changes: 1`, a write also keeps what it changed, as the service
// does, in one transaction with the task.
import {
  BatchGetItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import DataLoader from 'dataloader'
import { GraphQLError } from 'graphql'
import jwt from 'jsonwebtoken'
import { v7 as newId } from 'uuid'

const client = new DynamoDBClient({
  endpoint: process.env.DYNAMODB,
  requestHandler: { httpAgent: { keepAlive: true, maxSockets: 50 } },
})

export const typeDefs = /* GraphQL */ `
  enum TaskStatus { PENDING IN_PROGRESS COMPLETED CANCELLED }
  enum TaskPriority { LOW MEDIUM HIGH URGENT }
  enum DeadlineType { SOFT HARD }
  type User { id: ID! username: String! createdAt: String! }
  type Task {
    id: ID!
    ownerId: ID!
    title: String!
    description: String!
    status: TaskStatus!
    priority: TaskPriority!
    dueAt: String
    tags: [String!]!
    createdAt: String!
    updatedAt: String!
    completedAt: String
    version: Int!
    durationMinutes: Int
    notBefore: String
    deadlineType: DeadlineType!
    minChunkMinutes: Int!
    plannedStart: String
    plannedEnd: String
    owner: User!
  }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type TaskConnection { nodes: [Task!]! pageInfo: PageInfo! }
  input CreateTaskInput {
    title: String!
    description: String
    status: TaskStatus
    priority: TaskPriority
    dueAt: String
    tags: [String!]
  }
  input UpdateTaskInput {
    id: ID!
    title: String
    description: String
    status: TaskStatus
    priority: TaskPriority
    dueAt: String
    tags: [String!]
  }
  type TaskPayload { task: Task! }
  type Query {
    viewer: User!
    task(id: ID!): Task
    tasks(first: Int = 25, after: String): TaskConnection!
  }
  type Mutation {
    createTask(input: CreateTaskInput!): TaskPayload!
    updateTask(input: UpdateTaskInput!): TaskPayload!
  }
`

const VERIFY = { algorithms: ['HS256'], issuer: 'smart-task-scheduler', audience: 'smart-task-scheduler' }

function refused(code, message) {
  return new GraphQLError(message, { extensions: { code } })
}

export function context(authorization, changes) {
  const users = new DataLoader(async (ids) => {
    const Keys = ids.map((id) => ({ user_id: { S: id }, item: { S: 'profile' } }))
    const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems: { Users: { Keys } } }))
    const found = new Map(Responses.Users.map((item) => [item.user_id.S, asUser(item)]))
    return ids.map((id) => found.get(id) ?? refused('UNAUTHENTICATED', 'The account no longer exists.'))
  })
  return { viewer: viewer(authorization), users, changes }
}

function viewer(authorization) {
  try {
    return jwt.verify((authorization ?? '').replace(/^Bearer /, ''), process.env.JWT_SECRET, VERIFY).sub
  } catch {
    throw refused('UNAUTHENTICATED', 'The token is invalid.')
  }
}

const asUser = (item) => ({
  id: item.user_id.S,
  username: item.username.S,
  createdAt: item.created_at.S,
})

const asTask = (item) => ({
  id: item.task_id.S,
  ownerId: item.user_id.S,
  title: item.title.S,
  description: item.description.S,
  status: item.status.S.toUpperCase(),
  priority: item.priority.S.toUpperCase(),
  dueAt: item.due_at?.S,
  tags: item.tags.L.map((tag) => tag.S),
  createdAt: item.created_at.S,
  updatedAt: item.updated_at.S,
  completedAt: item.completed_at?.S,
  version: Number(item.version.N),
  durationMinutes: item.duration_minutes && Number(item.duration_minutes.N),
  notBefore: item.not_before?.S,
  deadlineType: item.deadline_type?.S.toUpperCase() ?? 'SOFT',
  minChunkMinutes: Number(item.min_chunk_minutes?.N ?? 0),
  plannedStart: item.planned_start?.S,
  plannedEnd: item.planned_end?.S,
})

const asCursor = (id) => Buffer.from(id).toString('base64url')
const asId = (cursor) => Buffer.from(cursor, 'base64url').toString()

// How a field of an input is kept; wrong ones are refused.
const kept = {
  title(text) {
    const title = text.trim()
    if (title.length < 1 || title.length > 200) throw refused('BAD_USER_INPUT', 'A title has 1 to 200 characters.')
    return { S: title }
  },
  description: (text) => ({ S: text ?? '' }),
  status: (value) => ({ S: value.toLowerCase() }),
  priority: (value) => ({ S: value.toLowerCase() }),
  due_at(text) {
    const date = new Date(text)
    if (Number.isNaN(date.getTime())) throw refused('BAD_USER_INPUT', 'There is no such date or time.')
    return { S: date.toISOString() }
  },
  tags: (texts) => ({ L: (texts ?? []).map((text) => ({ S: text.trim() })) }),
}

function attributes({ dueAt, ...input }) {
  const given = dueAt == null ? input : { ...input, due_at: dueAt }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, kept[name](value)]))
}

const dueOrder = (due, id) => ({ S: `${due.S}#${id}` })

const RETENTION = 30 * 24 * 3600 // seconds

// A change as the service keeps it: its id is that of the task's attribute `change_id`.
function change(kind, user, task, fields, before, version, now, previous) {
  const id = newId()
  const Item = {
    user_id: { S: `changes#${user}#${now.slice(0, 10)}` },
    item: { S: id },
    change_id: { S: id },
    kind: { S: kind },
    task_id: { S: task },
    version: { N: String(version) },
    fields: { L: fields.map((name) => ({ S: name })) },
    before: { M: before },
    actor: { M: { kind: { S: 'session' }, name: { S: '' } } },
    expires_at: { N: String(Math.floor(Date.parse(now) / 1000) + RETENTION) },
  }
  if (previous) Item.previous = { S: previous }
  return { TableName: 'Users', Item, ConditionExpression: 'attribute_not_exists(#item)', ExpressionAttributeNames: { '#item': 'item' } }
}

async function createWithChange(Item, input, user) {
  const put = change('task_created', user, Item.task_id.S, Object.keys(input), {}, 1, Item.created_at.S)
  Item.change_id = put.Item.change_id
  await client.send(
    new TransactWriteItemsCommand({
      TransactItems: [
        { Put: { TableName: 'Tasks', Item, ConditionExpression: 'attribute_not_exists(task_id)' } },
        { Put: put },
      ],
    }),
  )
  return asTask(Item)
}

async function updateWithChange({ id, ...input }, user) {
  const now = new Date().toISOString()
  const Key = { user_id: { S: user }, task_id: { S: id } }
  const { Item: old } = await client.send(new GetItemCommand({ TableName: 'Tasks', Key, ConsistentRead: true }))
  if (!old) throw refused('NOT_FOUND', 'Task not found')
  const set = attributes(input)
  const version = Number(old.version.N) + 1
  const Item = { ...old, ...set, updated_at: { S: now }, version: { N: String(version) } }
  if (set.due_at) Item.due_order = dueOrder(set.due_at, id)
  if (set.status?.S === 'completed') Item.completed_at ??= { S: now }
  else if (set.status) delete Item.completed_at
  const before = Object.fromEntries(Object.keys(set).filter((name) => old[name]).map((name) => [name, old[name]]))
  const kind = set.status?.S === 'completed' ? 'task_completed' : 'task_updated'
  const put = change(kind, user, id, Object.keys(set), before, version, now, old.change_id?.S)
  Item.change_id = put.Item.change_id
  try {
    await client.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          {
            Put: {
              TableName: 'Tasks',
              Item,
              ConditionExpression: '#version = :version',
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':version': old.version },
            },
          },
          { Put: put },
        ],
      }),
    )
    return asTask(Item)
  } catch (error) {
    if (error.name === 'TransactionCanceledException') throw refused('CONFLICT', 'The task was changed meanwhile.')
    throw error
  }
}

async function create(input, user, changes) {
  const now = { S: new Date().toISOString() }
  const id = newId()
  const given = attributes({ description: '', status: 'PENDING', priority: 'MEDIUM', tags: [], ...input })
  const Item = {
    user_id: { S: user },
    task_id: { S: id },
    ...given,
    created_at: now,
    updated_at: now,
    version: { N: '1' },
  }
  if (given.due_at) Item.due_order = dueOrder(given.due_at, id)
  if (given.status.S === 'completed') Item.completed_at = now
  if (changes) return createWithChange(Item, input, user)
  await client.send(
    new PutItemCommand({ TableName: 'Tasks', Item, ConditionExpression: 'attribute_not_exists(task_id)' }),
  )
  return asTask(Item)
}

async function update({ id, ...input }, user, changes) {
  if (changes) return updateWithChange({ id, ...input }, user)
  const now = { S: new Date().toISOString() }
  const set = { ...attributes(input), updated_at: now }
  if (set.due_at) set.due_order = dueOrder(set.due_at, id)
  const names = { '#version': 'version' }
  const values = { ':one': { N: '1' } }
  const settings = ['#version = #version + :one']
  let removal = ''
  for (const [name, value] of Object.entries(set)) {
    names[`#${name}`] = name
    values[`:${name}`] = value
    settings.push(`#${name} = :${name}`)
  }
  if (set.status?.S === 'completed') settings.push('completed_at = if_not_exists(completed_at, :updated_at)')
  else if (set.status) removal = ' REMOVE completed_at'
  try {
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName: 'Tasks',
        Key: { user_id: { S: user }, task_id: { S: id } },
        UpdateExpression: `SET ${settings.join(', ')}${removal}`,
        ConditionExpression: 'attribute_exists(task_id)',
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    )
    return asTask(Attributes)
  } catch (error) {
    if (error.name === 'ConditionalCheckFailedException') throw refused('NOT_FOUND', 'Task not found')
    throw error
  }
}

export const resolvers = {
  Query: {
    viewer: (_, __, { viewer, users }) => users.load(viewer),
    async task(_, { id }, { viewer }) {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: 'Tasks',
          Key: { user_id: { S: viewer }, task_id: { S: id } },
          ConsistentRead: true,
        }),
      )
      if (!Item) throw refused('NOT_FOUND', 'Task not found')
      return asTask(Item)
    },
    async tasks(_, { first, after }, { viewer }) {
      const { Items, LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: 'Tasks',
          KeyConditionExpression: 'user_id = :user',
          ExpressionAttributeValues: { ':user': { S: viewer } },
          ExclusiveStartKey: after ? { user_id: { S: viewer }, task_id: { S: asId(after) } } : undefined,
          Limit: first,
          ScanIndexForward: false,
          ConsistentRead: true,
        }),
      )
      const nodes = Items.map(asTask)
      const endCursor = nodes.length ? asCursor(nodes.at(-1).id) : null
      return { nodes, pageInfo: { hasNextPage: Boolean(LastEvaluatedKey), endCursor } }
    },
  },
  Mutation: {
    createTask: async (_, { input }, { viewer, changes }) => ({ task: await create(input, viewer, changes) }),
    updateTask: async (_, { input }, { viewer, changes }) => ({ task: await update(input, viewer, changes) }),
  },
  Task: { owner: (task, _, { users }) => users.load(task.ownerId) },
}
