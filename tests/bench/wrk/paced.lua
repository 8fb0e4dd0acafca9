-- Tenants that each ask now and then: wrk waits between two requests of a connection. CONSIGN_WRK_REQUESTS names a file with one
-- request a line, "PATH<TAB>NAME: VALUE<TAB>..."; CONSIGN_WRK_PAUSE_MS the mean pause, 0 for none.
-- Prints "RESULT requests seconds p50_us p99_us not_2xx socket_errors".

local requests = {}
local pause = tonumber(os.getenv("CONSIGN_WRK_PAUSE_MS"))

function init()
    math.randomseed(os.time())
    for line in io.lines(os.getenv("CONSIGN_WRK_REQUESTS")) do
        local path, headers = nil, {}
        for part in line:gmatch("[^\t]+") do
            local name, value = part:match("^([^:/]+): (.*)$")
            if name then headers[name] = value else path = part end
        end
        requests[#requests + 1] = wrk.format("GET", path, headers)
    end
end

function request()
    return requests[math.random(#requests)]
end

if pause > 0 then
    function delay()
        return math.random(1, 2 * pause)
    end
end

function done(summary, latency)
    local e = summary.errors
    print(string.format("RESULT %d %.3f %d %d %d %d", summary.requests, summary.duration / 1e6, latency:percentile(50),
        latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
