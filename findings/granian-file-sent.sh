#!/usr/bin/env bash
# granian 2.8.7, RSGI: `protocol.client_disconnect()` beside the three kinds of answers.
#
# The future is done when a streamed answer has ended, also by the app's own doing. After `response_bytes` and
# `response_file` it is never done: not when all is sent, nor when the connection is closed. granian opens the file by
# its path and closes it, and no callback tells when: an app that counts on this future to close or delete the file
# of an answer keeps all of them.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check granian==2.8.7
cd "$work"
head -c 300000 /dev/zero > answer
cat > app.py <<'PY'
async def app(scope, protocol):
    kind = scope.path.strip("/")
    protocol.client_disconnect().add_done_callback(lambda _: print("done:", kind, flush=True))
    if kind == "file":
        protocol.response_file(200, [("content-length", "300000")], "answer")
    elif kind == "stream":
        protocol.response_stream(200, []).send_bytes(b"x")
    else:
        protocol.response_bytes(200, [], b"x")
PY
"$work/venv/bin/granian" --interface rsgi --port 18097 app:app > log 2>&1 &
server=$!
until curl -sf 127.0.0.1:18097 >/dev/null; do sleep 0.1; done

for kind in bytes file stream; do
  echo "$kind: $(curl -s -H 'Connection: close' -o /dev/null -w '%{size_download} bytes' "127.0.0.1:18097/$kind")"
done
sleep 2
done=$(grep '^done:' log)
echo "$done"
[ "$done" = "done: stream" ]
echo "Only the streamed answer tells that it has ended."
