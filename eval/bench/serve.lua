-- Sends the requests of a file over and over. A line holds method, path and body, between tabs.
local requests = {}
local at = 0

function init()
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(os.getenv("SEEDRAG_REQUESTS")) do
    local method, path, body = line:match("^(%S+)\t(%S+)\t(.*)$")
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
