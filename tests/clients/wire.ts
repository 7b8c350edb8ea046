// What goes over the wire, which no client tells: `wire.fetch` notes each request and its answer.
export class Wire {
  /** Such as `POST Viewer by hash: PERSISTED_QUERY_NOT_FOUND`. */
  requests: string[] = []
  readonly mediaTypes = new Set<string>()

  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    const { errors } = (await response.clone().json()) as Answer
    const method = init?.method ?? 'GET'
    const { operationName, query, extensions } = method === 'GET'
      ? inUrl(new URL(String(input)))
      : (JSON.parse(String(init?.body)) as Asked)
    const sent = [extensions?.persistedQuery && 'hash', query && 'document'].filter(Boolean)
    const outcome = errors?.map(({ extensions: { code } }) => code).join() ?? 'data'
    this.requests.push(`${method} ${operationName} by ${sent.join(' and ')}: ${outcome}`)
    this.mediaTypes.add(`${response.headers.get('content-type')}`)
    return response
  }
}

interface Asked {
  operationName?: string
  query?: string
  extensions?: { persistedQuery?: unknown }
}

interface Answer {
  errors?: { extensions: { code: string } }[]
}

function inUrl({ searchParams }: URL): Asked {
  const asked = Object.fromEntries(searchParams)
  return { ...asked, extensions: JSON.parse(asked.extensions ?? '{}') }
}
