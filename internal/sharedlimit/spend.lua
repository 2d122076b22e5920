-- Counts requests on one key at one instant, in all of its windows or in none.
--
-- KEYS  one list for each window: last1 before1 last2 before2 ... lastN beforeN total opened
--       Each pair is a run of requests: the time of its last one, and how many requests were
--       counted before it. At the end stand how many there were in all, and when the newest
--       run began. An unused window has no list.
-- ARGV  the time, or "" for this server's; requests; and for each window: length, most
--       requests, grain, milliseconds to keep it when unused. Times are microseconds.
-- Answers, for each window: requests that counted before, microseconds until it has more room.

local wanted = tonumber(ARGV[2])
local windows = {}

local function text(n) return string.format('%.0f', n) end

local now
if ARGV[1] == '' then
  local clock = redis.call('TIME')
  now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
else
  now = tonumber(ARGV[1])
end

-- A key's time never goes back.
for i, key in ipairs(KEYS) do
  local tail = redis.call('LRANGE', key, -4, -1)
  local at = 3 + (i - 1) * 4
  local w = {
    per = tonumber(ARGV[at]), most = tonumber(ARGV[at + 1]), grain = tonumber(ARGV[at + 2]), keep = ARGV[at + 3],
    count = 0, frees = 0,
  }
  if tail[1] then
    w.last, w.total, w.opened = tonumber(tail[1]), tonumber(tail[3]), tonumber(tail[4])
    if w.last > now then now = w.last end
  end
  windows[i] = w
end

-- dead counts how many of the pairs of a reply have left their window.
local function dead(pairs, per)
  local n = 0
  while 2 * n < #pairs and tonumber(pairs[2 * n + 1]) + per <= now do n = n + 1 end
  return n
end

-- expire forgets the runs that have left and reads the oldest that counts.
local function expire(key, w)
  if not w.last then return end
  if w.last + w.per <= now then
    redis.call('DEL', key)
    w.last = nil
    return
  end
  local step = 2
  local oldest = redis.call('LRANGE', key, 0, step - 1)
  local gone = dead(oldest, w.per)
  while gone > 0 do
    redis.call('LPOP', key, 2 * gone)
    step = 128
    oldest = redis.call('LRANGE', key, 0, step - 1)
    gone = dead(oldest, w.per)
  end
  w.count = w.total - tonumber(oldest[2])
  w.frees = tonumber(oldest[1]) + w.per - now
end

-- overfull finds when a window has room that counts more than its limit, which was lowered:
-- when the run leaves with which the count falls below it.
local function overfull(key, w)
  local low, high = 0, redis.call('LLEN', key) / 2 - 2 -- runs; the last is enough
  while low < high do
    local middle = math.floor((low + high) / 2)
    local before = tonumber(redis.call('LINDEX', key, 2 * middle + 3)) -- of the run after it
    if w.total - before < w.most then high = middle else low = middle + 1 end
  end
  w.frees = tonumber(redis.call('LINDEX', key, 2 * low)) + w.per - now
end

local admitted = wanted
for i, key in ipairs(KEYS) do
  local w = windows[i]
  expire(key, w)
  if w.count > w.most then overfull(key, w) end
  admitted = math.max(0, math.min(admitted, w.most - w.count))
end

local function count(key, w)
  if not w.last then
    redis.call('RPUSH', key, text(now), '0', text(admitted), text(now))
  elseif now - w.opened < w.grain then
    redis.call('LSET', key, -4, text(now))
    redis.call('LSET', key, -2, text(w.total + admitted))
  else
    redis.call('LSET', key, -2, text(now))
    redis.call('LSET', key, -1, text(w.total))
    redis.call('RPUSH', key, text(w.total + admitted), text(now))
  end
  redis.call('PEXPIRE', key, w.keep)
end

local answer = {}
for i, key in ipairs(KEYS) do
  local w = windows[i]
  answer[2 * i - 1], answer[2 * i] = w.count, w.frees
  if admitted > 0 then count(key, w) end
end
return answer
