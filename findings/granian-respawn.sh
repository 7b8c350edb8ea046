#!/usr/bin/env bash
# granian 2.8.7 with respawn_failed_workers (CLI: --respawn-failed-workers).
#
# A worker that dies is replaced, as the option says. But if the replacement dies within 5.5 seconds of its
# start, the master takes that for a crash loop, ends all other workers, which are well, and exits with 1: one
# kill too soon after another, by an out-of-memory killer say, ends the whole service.
# The first worker may die as early as it likes: only replacements have this time.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check granian==2.8.7
cd "$work"
cat > app.py <<'PY'
async def app(scope, protocol):
    protocol.response_str(200, [], "well")
PY
"$work/venv/bin/granian" --interface rsgi --workers 2 --port 18099 --respawn-failed-workers app:app > log 2>&1 &
server=$!
workers() { pgrep -P "$server" -f multiprocessing.spawn\|granian | sort; }
until [ "$(workers | wc -l)" -ge 2 ] && curl -sf 127.0.0.1:18099 >/dev/null; do sleep 0.1; done

before=$(workers)
kill -KILL "$(workers | head -1)"
until [ -n "$(comm -13 <(echo "$before") <(workers))" ]; do sleep 0.1; done
sleep 0.5
[ "$(curl -s 127.0.0.1:18099)" = well ]
echo "The first death is survived."

kill -KILL "$(comm -13 <(echo "$before") <(workers) | head -1)"
status=0
wait "$server" || status=$?
grep -q "Worker crash loop detected, exiting" log
[ "$status" = 1 ]
! curl -s 127.0.0.1:18099 >/dev/null
echo "A death of its replacement within 5.5 s ends the service, exit code $status:"
grep -h "crash loop" log
