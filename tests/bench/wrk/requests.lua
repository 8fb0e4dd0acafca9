-- The requests of the benchmark of the request path: each of another tenant, job and token.
--
--   wrk ... -s requests.lua URL -- WAY TENANTS THREADS JOBS FIRST STEP
--
-- WAY: get, list, status (list of 20 with a status and a cursor), post, cancel, plain (GET of the URL as it is).
-- TENANTS: a file, a line a token: number of the tenant, org, client, token. With the way's name ending in "-walk" the
-- tokens are used one after the other, each thread having its own, instead of at random.
-- A tenant has JOBS jobs numbered FIRST + n * STEP. cancel: they are ended one after the other.
-- At the end one line "bench name=value ..." tells what bench/load.py reads; times are in microseconds.

local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local JOBS_PATH = "/data/core/ups/export/jobs"
local way, walk, count, jobs, first, step
local numbers, heads = {}, {}
local format, random, floor = string.format, math.random, math.floor

local function read(file)
    for line in io.lines(file) do
        local tenant, org, client, token = line:match("^(%S+)\t(%S+)\t(%S+)\t(%S+)$")
        numbers[#numbers + 1] = tonumber(tenant)
        heads[#heads + 1] = " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " .. token .. "\r\nx-api-key: " .. client
            .. "\r\nx-gw-ims-org-id: " .. org .. "\r\nx-sandbox-name: prod\r\n"
    end
end

function init(args)
    way, count, jobs, first, step = args[1], tonumber(args[3]), tonumber(args[4]), tonumber(args[5]), tonumber(args[6])
    walk = way:match("-walk$") ~= nil
    way = way:gsub("-walk$", "")
    read(args[2])
    math.randomseed(os.time() * 16 + number)
end

local n = 0
local function turn() -- a number that no other thread has
    n = n + 1
    return (n - 1) * count + number
end

local function job(k)
    return format("%.0f", first + k * step)
end

local ways = {
    get = function(i) return "GET " .. JOBS_PATH .. "/" .. job(random(0, jobs - 1)) .. heads[i] .. "\r\n" end,
    list = function(i) return "GET " .. JOBS_PATH .. "?limit=20" .. heads[i] .. "\r\n" end,
    -- from the newest quarter, so that 20 of the status follow
    status = function(i)
        return "GET " .. JOBS_PATH .. "?limit=20&status=SUCCEEDED&offset=1_" .. job(random(floor(jobs * 0.75), jobs - 1))
            .. heads[i] .. "\r\n"
    end,
    post = function(i)
        local body = format('{"fields":"identities.id,personalEmail.address","destination":{"datasetId":"%024x"},'
            .. '"schema":{"name":"_xdm.context.profile"}}', numbers[i])
        return "POST " .. JOBS_PATH .. heads[i] .. "Content-Type: application/json\r\nContent-Length: " .. #body
            .. "\r\n\r\n" .. body
    end,
    cancel = function()
        local k = turn()
        local i = k % #heads + 1
        return "DELETE " .. JOBS_PATH .. "/" .. job(floor(k / #heads) % jobs) .. heads[i] .. "\r\n"
    end,
    plain = function(i) return "GET " .. wrk.path .. heads[i] .. "\r\n" end,
}

function request()
    return ways[way](walk and turn() % #heads + 1 or random(#heads))
end

function done(summary, latency)
    local e = summary.errors
    io.write(format("bench requests=%d us=%d p50=%d p99=%d status=%d socket=%d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
