// node dist/event-source.js <the service's URL>
import { EventSource } from 'eventsource'
import { live } from './live.js'

const url = process.argv[2]!

const seen = await live(url, (follower, after) => {
  const query = after ? `?${new URLSearchParams({ after })}` : ''
  const events = new EventSource(`${url}/api/v1/events${query}`, {
    fetch: async (input, init) => {
      const headers = { ...init.headers, ...follower.session.headers }
      const response = await follower.fetch(input, { ...init, headers })
      if (!response.ok) {
        const { code, field } = await response.clone().json() as Record<string, unknown>
        follower.next({ errors: [{ extensions: { code, field } }] })
      }
      return response
    },
  })
  events.onmessage = ({ data }) => follower.next({ data: { changes: JSON.parse(data) } })
  // It comes back by itself unless it is refused.
  events.onerror = () => { if (events.readyState === EventSource.CLOSED) follower.end() }
  return () => events.close()
})
console.log(JSON.stringify({ seen }))
