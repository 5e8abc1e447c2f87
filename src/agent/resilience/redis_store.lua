-- One atomic step of a breaker that several workers share, by this server's clock.
-- KEYS: the breaker's hash, the sorted set of its probe leases (id by deadline). ARGV: the step and its arguments.
-- Answers epoch, state, why, milliseconds left, openings, and whether a lease was granted.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local step = ARGV[1]

local found = redis.call('HMGET', KEYS[1], 'epoch', 'state', 'why', 'until', 'openings', 'good')
local epoch, state, why = tonumber(found[1]) or 0, found[2] or 'closed', found[3] or ''
local ends, openings, good = tonumber(found[4]) or 0, tonumber(found[5]) or 0, tonumber(found[6]) or 0
local granted = 0

local function move(to, reason, wait, opened)
  -- never below the time, so that a store that lost its memory goes on above the epochs that workers remember
  epoch = math.max(epoch + 1, now)
  state, why, ends, openings, good = to, reason, now + wait, opened, 0
  redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'state', state, 'why', why,
             'until', string.format('%.0f', ends), 'openings', openings, 'good', good)
  redis.call('DEL', KEYS[2])
end

if step == 'open' then
  local seen, reason, wait, opened = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
  if epoch == 0 or epoch == seen then move('open', reason, wait, opened) end

elseif step == 'acquire' then
  local lease, span, permitted = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
  if epoch == 0 then
    move('half_open', ARGV[5], 0, tonumber(ARGV[6]))
  elseif state == 'open' and now >= ends then
    move('half_open', why, 0, openings)
  end
  if state == 'half_open' then
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
    if redis.call('ZCARD', KEYS[2]) < permitted then
      redis.call('ZADD', KEYS[2], now + span, lease)
      redis.call('PEXPIRE', KEYS[2], span)
      granted = 1
    end
  end

elseif step == 'settle' then
  local lease, was_good, threshold = ARGV[2], ARGV[3] == '1', tonumber(ARGV[4])
  local deadline = tonumber(redis.call('ZSCORE', KEYS[2], lease) or 0)
  redis.call('ZREM', KEYS[2], lease)
  if was_good and now < deadline then
    good = redis.call('HINCRBY', KEYS[1], 'good', 1)
    if good >= threshold then move('closed', '', 0, 0) end
  end

elseif step == 'force_open' then
  move('forced_open', '', 0, 0)

elseif step == 'reset' then
  move('closed', '', 0, 0)
end

return {string.format('%.0f', epoch), state, why, string.format('%.0f', math.max(0, ends - now)),
        string.format('%d', openings), granted}
