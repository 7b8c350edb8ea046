/** @type {import('houdini').ConfigFile} */
export default {
  schemaPath: '../../../schema.graphql',
  include: 'source/**/*.gql',
  runtimeDir: 'generated',
  module: 'esm',
  scalars: {
    Date: { type: 'string' }, DateTime: { type: 'string' }, LocalTime: { type: 'string' },
  },
}
