// The GraphQL-over-HTTP audit: node audit.mjs <url>; prints what each check found.
import { auditServer } from 'graphql-http'

const results = await auditServer({ url: process.argv[2], fetchFn: fetch })
const rows = results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))
console.log(JSON.stringify(rows))
