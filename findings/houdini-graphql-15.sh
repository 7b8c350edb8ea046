#!/usr/bin/env bash
# houdini 1.5.10 (npm): `houdini generate` ends with graphql 15.11.0, which it asks for.
#
# It depends on graphql ^15.8.0, and builds an IntValue whose value is a number for `@paginate`. The printer of graphql
# 15.11.0 takes texts only: "value.includes is not a function", of no document in particular. With 15.8.0 it works:
# pin that by `"overrides": { "houdini": { "graphql": "15.8.0" } }` in package.json.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > schema.graphql <<'SDL'
type Query { tasks(first: Int, after: String): TaskConnection! }
type TaskConnection { edges: [TaskEdge!]! pageInfo: PageInfo! }
type TaskEdge { cursor: String! node: Task! }
type Task { id: ID! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
SDL
mkdir source
echo 'query Tasks { tasks(first: 10) @paginate { edges { node { id } } } }' > source/tasks.gql
echo "export default { schemaPath: './schema.graphql', include: 'source/*.gql', runtimeDir: 'generated' }" > houdini.config.js

generate() {
  echo "{ \"type\": \"module\", \"overrides\": { \"houdini\": { \"graphql\": \"$1\" } } }" > package.json
  rm -rf node_modules package-lock.json generated
  npm install --silent --ignore-scripts --no-audit --no-fund houdini@1.5.10
  (node_modules/.bin/houdini generate 2>&1 || true) | tail -1
}

found=$(generate 15.11.0)
echo "graphql 15.11.0: $found"
[[ "$found" == *"value.includes is not a function"* ]]
generate 15.8.0
[ -f generated/artifacts/Tasks.js ]
