-- For wrk: POSTs one review again and again, and prints what came of it as a line of JSON.
-- wrk counts answers of 400 and above itself; a `response` function would cost it its throughput.
-- usage: wrk ... -s review.lua URL -- BODY_FILE [close]

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   wrk.method = "POST"
   wrk.body = file:read("*a")
   file:close()
   wrk.headers["Content-Type"] = "application/json"
   if arguments[2] == "close" then
      wrk.headers["Connection"] = "close"
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '\n{"reviews":%d,"seconds":%.6f,"bad_status":%d,"broken":%d,"p50_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f}\n',
      summary.requests, summary.duration / 1e6, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3))
end
