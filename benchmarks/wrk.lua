-- Bodies for a POST, run by benchmarks/wrk.py: wrk -s wrk.lua URL -- FILE BEFORE AFTER [FIRST]
-- FILE has a text in each line, as a JSON string without its quotes; BEFORE and AFTER are the rest of the body. Before the
-- first text sent stands the number FIRST, before each other one the next number, so that no text comes twice; without
-- FIRST they come as they are, in turn.
local texts, number, sent, before, after = {}, nil, 0, nil, nil

local function write(text)
  return wrk.format("POST", nil, nil, before .. text .. after)
end

function init(args)
  wrk.headers["Content-Type"] = "application/json"
  before, after, number = args[2], args[3], tonumber(args[4])
  for text in io.lines(args[1]) do
    texts[#texts + 1] = number and text or write(text)
  end
end

function request()
  local text = texts[sent % #texts + 1]
  sent = sent + 1
  return number and write(string.format("%d", number + sent - 1) .. text) or text
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"requests": %d, "not_200": %d, "broken": %d, "seconds": %.6f, "p50_ms": %.6f, '
    .. '"p95_ms": %.6f, "p99_ms": %.6f}\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
