#!/usr/bin/env bash
# relay-compiler 21.0.1 (npm): what it writes is added to the index of git.
#
# Run within a git repository, the compiler does not only write its artifacts: it stages them, without an option to
# leave that. So a run in a test or in CI changes what the next commit has. It leaves alone what .gitignore names:
# ignore the folder of artifacts, if they are not to be committed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --ignore-scripts --no-audit --no-fund relay-compiler@21.0.1
echo 'type Query { name: String }' > schema.graphql
mkdir source
echo 'export const query = graphql`query pageQuery { name }`' > source/page.js
echo '{ "src": "source", "schema": "schema.graphql", "language": "javascript" }' > relay.config.json
git init --quiet
node_modules/.bin/relay-compiler > /dev/null
staged=$(git diff --cached --name-only)
echo "staged: $staged"
[ "$staged" = source/__generated__/pageQuery.graphql.js ]
git rm -r --quiet --cached source/__generated__
rm -r source/__generated__
echo __generated__/ > .gitignore
node_modules/.bin/relay-compiler > /dev/null
ls source/__generated__
[ -z "$(git diff --cached --name-only)" ]
echo "Ignored, it is written and not staged."
