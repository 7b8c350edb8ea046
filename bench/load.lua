-- What wrk sends, and what it says afterwards: the requests of a file in turn, and one line of JSON.
local requests = dofile(os.getenv("REQUESTS"))
local last = 0

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"microseconds": %d, "requests": %d, "bytes": %d, "p50": %f, "p99": %f, "refused": %d, "failed": %d}\n',
    summary.duration, summary.requests, summary.bytes,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
