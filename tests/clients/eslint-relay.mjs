// node eslint-relay.mjs <schema>: what @graphql-eslint's rules for Relay say of which type, as JSON.
// A list may have other things than edges: those that come whole with their parent are no pages.
// A connection may page one way only, as Relay's specification says (section 4).
import { readFileSync } from 'node:fs'
import { Linter } from 'eslint'
import { parser, rules } from '@graphql-eslint/eslint-plugin'

const path = process.argv[2]
const linter = new Linter()
const text = readFileSync(path, 'utf8')
const found = linter.verify(text, [{
  files: ['**/*.graphql'],
  languageOptions: { parser, parserOptions: { graphQLConfig: { schema: path } } },
  plugins: { graphql: { rules } },
  rules: {
    'graphql/relay-arguments': ['error', { includeBoth: false }],
    'graphql/relay-connection-types': 'error',
    'graphql/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
    'graphql/relay-page-info': 'error',
  },
}], { filename: 'schema.graphql' })
const lines = text.split('\n')

/** The type that the line of a report belongs to. */
function typeAt(line) {
  const above = lines.slice(0, line).reverse()
  return above.find((each) => each.startsWith('type ')).split(' ')[1]
}

console.log(JSON.stringify(found.map(({ ruleId, line, message }) =>
  [ruleId.replace('graphql/', ''), typeAt(line), message])))
