#!/usr/bin/env bash
# granian 2.8.7, RSGI: the body of a request in chunks, read by `async for`.
#
# Trailers after the last chunk (RFC 9112, section 7.1.2) reach no app: the protocol has no way to read them.
# All that tells of them is one more empty part at the end of the body. `await protocol()`, which gives the body
# as a whole, tells nothing. An app that counts on trailers, such as a checksum of the body, never sees them.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check granian==2.8.7
cd "$work"
cat > app.py <<'PY'
async def app(scope, protocol):
    if scope.path == "/whole":
        seen = [await protocol()]
    else:
        seen = [part async for part in protocol]
    names = sorted(scope.headers.keys())
    protocol.response_str(200, [], f"{seen} {'checksum' in names}")
PY
"$work/venv/bin/granian" --interface rsgi --port 18098 app:app > log 2>&1 &
server=$!
until curl -sf 127.0.0.1:18098 >/dev/null; do sleep 0.1; done

cat > ask.py <<'PY'
import socket

def ask(path, end):
    with socket.create_connection(("127.0.0.1", 18098)) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTrailer: Checksum\r\n"
            f"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n{end}\r\n".encode()
        )
        return connection.makefile().read().rpartition("\n")[2]

found = {
    (path, bool(end)): ask(path, end)
    for path in ("/parts", "/whole")
    for end in ("", "Checksum: 900150983cd24fb0d6963f7d28e17f72\r\n")
}
for (path, trailers), seen in found.items():
    print(f"{path} {'with' if trailers else 'without'} trailers: {seen}")
assert found == {
    ("/parts", False): "[b'abc', b''] False",
    ("/parts", True): "[b'abc', b'', b''] False",
    ("/whole", False): "[b'abc'] False",
    ("/whole", True): "[b'abc'] False",
}
PY
"$work/venv/bin/python" ask.py
echo "Trailers are one more empty part, and nothing else."
