"""Admission inside the store.

The gauges are those of `runtime.limits.gauges`, on the store's own clock. One key per gauge: a
window is a packed list of buckets, slots are a sorted set of tickets by the end of their lease, a
day or month is a hash with a count per period. Keys share one hash tag, for clusters.
"""

from __future__ import annotations

from typing import Final

from runtime.shared.scripts import Script

_GAUGES: Final = """
local MINUTE, WIDTH, KEPT = 60000, 1000, 40 * 86400
local time = redis.call('TIME')
local utc = tonumber(time[1])
local now = utc * 1000 + math.floor(tonumber(time[2]) / 1000)

local function whole(number) return string.format('%.0f', number) end

-- Days of the proleptic Gregorian calendar, counted from 1970-01-01, from and to months.
local function month_of(days)
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor(
    (doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local march = math.floor((5 * doy + 2) / 153)
  local month = march < 10 and march + 3 or march - 9
  return (yoe + era * 400 + (month <= 2 and 1 or 0)) * 12 + month - 1
end

local function first_of(index)
  local year, month = math.floor(index / 12), index % 12 + 1
  if month <= 2 then year = year - 1 end
  local era = math.floor(year / 400)
  local yoe = year - era * 400
  local doy = math.floor((153 * ((month + 9) % 12) + 2) / 5)
  return era * 146097 + yoe * 365 + math.floor(yoe / 4) - math.floor(yoe / 100) + doy - 719468
end

local function period(kind)
  local days = math.floor(utc / 86400)
  if kind == 'day' then return days, (days + 1) * 86400000 end
  local index = month_of(days)
  return index, first_of(index + 1) * 86400000
end

local function write(key, buckets)
  redis.call('SET', key, cmsgpack.pack(buckets), 'PX', MINUTE + WIDTH)
end

-- Flat: first, last, amount of each bucket. A clock that was set back leaves none in the future.
local function read(key)
  local kept, level, late = {}, 0, false
  local text = redis.call('GET', key)
  local all = text and cmsgpack.unpack(text) or {}
  for i = 1, #all, 3 do
    local first, last, amount = math.min(all[i], now), math.min(all[i + 1], now), all[i + 2]
    late = late or all[i + 1] > now
    if last > now - MINUTE then
      kept[#kept + 1] = first
      kept[#kept + 1] = last
      kept[#kept + 1] = amount
      level = level + amount
    end
  end
  if late then write(key, kept) end
  return kept, level
end

local window = {}

function window.level(key)
  local buckets, level = read(key)
  return level, buckets
end

function window.add(key, amount, buckets)
  local n = #buckets
  if n > 0 and now - buckets[n - 2] < WIDTH then
    buckets[n - 1] = now
    buckets[n] = buckets[n] + amount
  else
    buckets[n + 1] = now
    buckets[n + 2] = now
    buckets[n + 3] = amount
  end
  write(key, buckets)
  return buckets[#buckets - 2]
end

function window.settle(key, change, mark)
  local buckets = read(key)
  if change > 0 then return window.add(key, change, buckets) end
  for i = 1, #buckets, 3 do
    if buckets[i] == mark then
      buckets[i + 2] = buckets[i + 2] + change
      return write(key, buckets)
    end
  end
end

function window.opens(excess, buckets)
  local freed = 0
  for i = 1, #buckets, 3 do
    freed = freed + buckets[i + 2]
    if freed >= excess and buckets[i + 2] > 0 then return buckets[i + 1] + MINUTE - now end
  end
  return #buckets > 0 and MINUTE or 0
end

local slots = {}

function slots.level(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  return redis.call('ZCARD', key)
end

function slots.add(key, amount, state, ticket, lease)
  redis.call('ZADD', key, now + lease, ticket)
  redis.call('PEXPIRE', key, lease)
  return 0
end

function slots.settle(key, change, mark, ticket) redis.call('ZREM', key, ticket) end

function slots.opens(excess) return excess > 0 and 1000 or 0 end

local function budget(kind)
  local id, ends = period(kind)
  local self = {}

  function self.level(key) return tonumber(redis.call('HGET', key, id) or 0) end

  function self.add(key, amount)
    redis.call('HINCRBY', key, id, whole(amount))
    if redis.call('HLEN', key) > 4 then
      for _, other in ipairs(redis.call('HKEYS', key)) do
        if math.abs(tonumber(other) - id) > 2 then redis.call('HDEL', key, other) end
      end
    end
    redis.call('EXPIRE', key, KEPT)
    return id
  end

  function self.settle(key, change, mark)
    if change > 0 then return self.add(key, change) end
    if redis.call('HEXISTS', key, mark) == 1 then
      redis.call('HINCRBY', key, mark, whole(change))
    end
  end

  function self.opens() return ends - now end

  return self
end

local made = {window = window, slots = slots}
local function gauge(kind)
  made[kind] = made[kind] or budget(kind)
  return made[kind]
end

local function workers() return redis.call('ZCOUNT', KEYS[1], now, '+inf') end
"""


# KEYS: workers, gauges. ARGV: ticket, lease; per gauge kind, limit, need, amount.
# Gives the workers, 0, and per gauge level, mark and the time until it opens; or the workers, the
# number of the gauge that stays shut the longest, its level and the time until the request fits.
ADMIT: Final = Script(
    _GAUGES
    + """
local ticket, lease = ARGV[1], tonumber(ARGV[2])
local seen, shut, wait = {}, 0, -1
for i = 2, #KEYS do
  local at = 4 * i - 5
  local own, limit, need = gauge(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local level, state = own.level(KEYS[i])
  seen[i] = {own, level, state}
  if level + need > limit then
    local opens = own.opens(level + need - limit, state)
    if opens > wait then shut, wait = i, opens end
  end
end
if shut > 0 then return {workers(), shut - 1, seen[shut][2], wait} end
local found = {workers(), 0}
for i = 2, #KEYS do
  local own, level, state = unpack(seen[i], 1, 3)
  local limit, amount = tonumber(ARGV[4 * i - 4]), tonumber(ARGV[4 * i - 2])
  local mark = own.add(KEYS[i], amount, state, ticket, lease)
  found[#found + 1] = level + amount
  found[#found + 1] = mark
  found[#found + 1] = own.opens(math.max(level + amount + 1 - limit, 0), state)
end
return found
"""
)

# KEYS: workers, gauges. ARGV: ticket; per gauge kind, change, mark.
SETTLE: Final = Script(
    _GAUGES
    + """
for i = 2, #KEYS do
  local at = 3 * i - 4
  gauge(ARGV[at]).settle(KEYS[i], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[1])
end
return #KEYS
"""
)

# KEYS: workers, gauges. ARGV: per gauge kind, limit. Gives per gauge level and time until it opens.
PEEK: Final = Script(
    _GAUGES
    + """
local found = {}
for i = 2, #KEYS do
  local own, limit = gauge(ARGV[2 * i - 3]), tonumber(ARGV[2 * i - 2])
  local level, state = own.level(KEYS[i])
  found[#found + 1] = level
  found[#found + 1] = own.opens(math.max(level + 1 - limit, 0), state)
end
return found
"""
)

# KEYS: workers, slots. ARGV: worker, lease; per slots key the ticket that goes on.
BEAT: Final = Script(
    _GAUGES
    + """
local lease = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
redis.call('PEXPIRE', KEYS[1], lease)
for i = 2, #KEYS do slots.add(KEYS[i], 1, nil, ARGV[i + 1], lease) end
return workers()
"""
)
