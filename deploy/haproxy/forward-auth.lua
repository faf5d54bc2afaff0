-- Asks who is signed in, as nginx's auth_request does, with HAProxy's own HTTP client.
-- http-request lua.forward_auth URL
--   2xx: the identity headers of the answer (Remote-*, X-Authentik-*) are set, and only those that it really has. The
--        configuration has removed the client's own before.
--   3xx, 401: txn.unknown; txn.portal is its Location, where it has one
--   another answer: txn.forbidden
--   none, or an error of its own: txn.silent
--   any: its first two cookies, in txn.cookie_1 and txn.cookie_2

local function first(values)
  return values and (values[0] or values[1])
end

core.register_action("forward_auth", { "http-req" }, function(txn, url)
  local received = txn.http:req_get_headers()
  local headers = {
    ["x-forwarded-method"] = { txn.sf:method() },
    ["x-forwarded-proto"] = { txn.sf:ssl_fc() == 1 and "https" or "http" },
    ["x-forwarded-host"] = { first(received["host"]) or "" },
    ["x-forwarded-uri"] = { txn.sf:pathq() },
    ["x-forwarded-for"] = { txn.sf:src() },
  }
  for _, name in ipairs({ "cookie", "accept", "user-agent" }) do
    if received[name] then headers[name] = { first(received[name]) } end
  end

  local answer = core.httpclient():get{ url = url, headers = headers, timeout = 5000 }
  local status = answer and answer.status or 0
  local answered = answer and answer.headers or {}

  -- Without them the service would not recognise the browser when it comes back from the login page.
  local cookies = 0
  for _, cookie in pairs(answered["set-cookie"] or {}) do
    cookies = cookies + 1
    if cookies <= 2 then txn:set_var("txn.cookie_" .. cookies, cookie) end
  end

  if status >= 200 and status < 300 then
    for name, values in pairs(answered) do
      local value = first(values)
      if (name:find("^remote%-") or name:find("^x%-authentik%-")) and value and value ~= "" then
        txn.http:req_set_header(name, value)
      end
    end
  elseif status == 401 or (status >= 300 and status < 400) then
    local location = first(answered["location"])
    if location and location ~= "" then txn:set_var("txn.portal", location) end
    txn:set_var("txn.unknown", true)
  elseif status == 0 or status >= 500 then
    txn:set_var("txn.silent", true)
  else
    txn:set_var("txn.forbidden", true)
  end
end, 1)
