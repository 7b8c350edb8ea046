// What every client that follows changes does with the service; it gives what it saw of them.
import { randomUUID } from 'node:crypto'
import { type ChangesSubscription } from './generated/operations.js'
import { Session } from './scenario.js'

/** Where a client's answers go; `fetch` and `session` are for its requests. */
export interface Follower {
  session: Session
  fetch: typeof fetch
  next(answer: Answer): void
  end(): void
}

export interface Answer {
  data?: { changes: Change } | null | undefined
  errors?: readonly { extensions?: Record<string, unknown> | undefined }[] | undefined
}

/** Either as GraphQL or as REST spells it. */
type Change = Pick<ChangesSubscription['changes'], 'cursor'> & {
  kind: string
  task?: { title: string } | null | undefined
}

/** Follows changes through a client, after a cursor or from now on; returns how to stop. */
type Follow = (follower: Follower, after: string | undefined) => () => void

/** One subscription: what came of it, in order. */
class Stream implements Follower {
  readonly answers: Answer[] = []
  requests = 0
  ended = false
  #wake = () => {}

  constructor(readonly session: Session) {}

  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    this.requests++
    this.#wake()
    return response
  }

  next(answer: Answer) {
    this.answers.push(answer)
    this.#wake()
  }

  end() {
    this.ended = true
    this.#wake()
  }

  async until(condition: () => boolean) {
    while (!condition()) await new Promise<void>((resolve) => { this.#wake = resolve })
  }

  get titles() {
    return this.answers.flatMap(({ data }) => (data ? [data.changes.task?.title] : []))
  }

  get refusals() {
    return this.answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions) ?? [])
  }
}

export async function live(url: string, follow: Follow) {
  const session = new Session()
  const stop: (() => void)[] = []

  function followed(after?: string) {
    const stream = new Stream(session)
    stop.push(follow(stream, after))
    return stream
  }

  /** Somebody else's request, by another connection. */
  async function post(path: string, body: object) {
    const headers = { 'Content-Type': 'application/json', ...session.headers }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(url + path, init)
    return (await response.json()) as { token: string }
  }

  const input = { username: `ann-${randomUUID()}`, password: 'correct horse battery' }
  session.token = (await post('/auth/register', input)).token

  const first = followed()
  await first.until(() => first.requests > 0)
  await post('/api/v1/tasks', { title: '1' })
  await first.until(() => first.titles.length > 0)
  const { cursor, kind } = first.answers[0]!.data!.changes
  stop.pop()!()

  await post('/api/v1/tasks', { title: '2' })
  const resumed = followed(cursor)
  await resumed.until(() => resumed.titles.includes('2'))
  await post('/api/v1/tasks', { title: '3' })
  await resumed.until(() => resumed.titles.includes('3'))

  const refused = followed('nonsense')
  await refused.until(() => refused.ended)

  await post('/auth/logout', {})
  await resumed.until(() => resumed.ended)

  return {
    kind: kind.toUpperCase(),
    first: first.titles,
    resumed: [...new Set(resumed.titles)],
    refused: [refused.refusals, refused.requests],
  }
}
