// Types for documents/*.graphql from schema.graphql, into generated/operations.ts.
// This is graphql-codegen without its CLI: that brings 250 packages more, to read schemas from
// anywhere, and most of them ask for a newer Node.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { codegen } from '@graphql-codegen/core'
import * as typedDocumentNode from '@graphql-codegen/typed-document-node'
import * as typescriptOperations from '@graphql-codegen/typescript-operations'
import { parse } from 'graphql'

const here = (path) => new URL(path, import.meta.url)
const read = (path) => parse(readFileSync(here(path), 'utf8'))

const operations = await codegen({
  filename: 'operations.ts',
  schema: read('../../schema.graphql'),
  documents: readdirSync(here('documents')).sort().map((name) => ({
    location: name,
    document: read(`documents/${name}`),
  })),
  config: { scalars: { Date: 'string', DateTime: 'string', LocalTime: 'string' }, strictScalars: true, useTypeImports: true },
  plugins: [{ typescriptOperations: {} }, { typedDocumentNode: {} }],
  pluginMap: { typescriptOperations, typedDocumentNode },
})
mkdirSync(here('generated'), { recursive: true })
writeFileSync(here('generated/operations.ts'), operations)
