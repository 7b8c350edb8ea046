// A job of a dozen calls by npm's clients of MCP: node mcp-job.mjs PACKAGE URL TOKEN MODE.
const [, , name, url, token, mode] = process.argv

const { Client, StreamableHTTPClientTransport } =
  name === '@modelcontextprotocol/sdk'
    ? {
        ...(await import('@modelcontextprotocol/sdk/client/index.js')),
        ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
      }
    : await import('@modelcontextprotocol/client')

const options = mode ? { versionNegotiation: { mode } } : {}
const client = new Client({ name: 'job', version: '1' }, options)
const requestInit = { headers: { Authorization: `Bearer ${token}` } }
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))

const version = client.getNegotiatedProtocolVersion?.() ?? null
const { tools } = await client.listTools()
const failed = []
async function call(tool, args = {}) {
  const result = await client.callTool({ name: tool, arguments: args })
  failed.push(Boolean(result.isError))
  return result.structuredContent
}

const task = await call('add_task', { title: 'Water plants', tags: ['home'], priority: 'high' })
const again = await call('add_task', { title: 'Pay rent', idempotency_key: 'k' })
const same = await call('add_task', { title: 'Pay rent', idempotency_key: 'k' })
const wrong = await call('reschedule', {
  id: task.id,
  due_on: '2030-01-08',
  expected_weekday: 'monday',
})
const moved = await call('reschedule', { id: task.id, due_on: '2030-01-07', expected_version: 1 })
const stale = await call('change_task', { id: task.id, title: 'x', expected_version: 1 })
const now = await call('what_now')
const rehearsed = await call('complete_task', { id: again.id, dry_run: true })
const done = await call('complete_task', { id: again.id, idempotency_key: 'done' })
const repeated = await call('complete_task', { id: again.id, idempotency_key: 'done' })
const changes = await call('changes_since', { limit: 50 })
const restored = await call('undo', {
  change_id: changes.nodes.at(-1).id,
  expected_version: done.version,
})
await client.close()

console.log(
  JSON.stringify({
    tools: tools.length,
    version,
    failed,
    same: same.id === again.id,
    wrong: [wrong.code, wrong.error.includes('2030-01-07')],
    moved: [moved.due_on, moved.version],
    stale: [stale.code, stale.current_version],
    now: [now, ...now.alternatives].map((each) => each.task.title).sort(),
    rehearsed: [rehearsed.dry_run, rehearsed.status],
    done: done.status,
    repeated: JSON.stringify(repeated) === JSON.stringify(done),
    restored: restored.status,
  }),
)
