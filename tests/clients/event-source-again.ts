// node dist/event-source-again.js <the service's URL> <an access token>
// Prints `open` for each connection and the title of each task that is told of, until it is ended.
import { EventSource } from 'eventsource'

const [, , url, token] = process.argv

const events = new EventSource(`${url}/api/v1/events`, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
})
events.onopen = () => console.log('open')
events.onmessage = ({ data }) => console.log(JSON.parse(data).task.title)
