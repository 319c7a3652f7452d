-- Tests of lua/identity.lua in a plain Lua: what it makes of labels, Accept
-- headers and refusals, and what it tells HAProxy, which is played here.
--
--   lua5.3 tests/lua/identity.lua lua/identity.lua
local PATH = assert(arg[1], "the path of identity.lua")
local checks, failures = 0, 0

local function same(got, wanted, what)
	checks = checks + 1
	if got ~= wanted then
		failures = failures + 1
		print(("%s: %s, not %s"):format(what, tostring(got), tostring(wanted)))
	end
end

-- Each row: a function, what goes in, what comes out.
local function rows(name, call, table_of_rows)
	for i, row in ipairs(table_of_rows) do
		local ok, got = pcall(call, table.unpack(row[1], 1, 4))
		same(got, row[2], name .. " " .. i)
		same(ok, true, name .. " " .. i .. " ends")
	end
end

local M = dofile(PATH)
local LABELS = "k8s:io.kubernetes.pod.namespace=ext;k8s:role=admin;k8s:empty=;any:x=1;"

rows("has_label", M.has_label, {
	{{LABELS, "k8s:role=admin"}, true},
	{{LABELS, "role=admin"}, true},
	{{LABELS, "io.kubernetes.pod.namespace=ext"}, true}, -- the first one
	{{LABELS, "k8s:role"}, true},
	{{LABELS, "role"}, true},
	{{LABELS, "k8s:empty"}, true},
	{{LABELS, "k8s:empty="}, true},
	{{LABELS, "any:x=1"}, true},
	{{LABELS, "x=1"}, false},
	{{LABELS, "k8s:role=adm"}, false},
	{{LABELS, "role=admi"}, false},
	{{LABELS, "s:role=admin"}, false},
	{{LABELS, "ole=admin"}, false},
	{{LABELS, "k8s:role=admin;k8s:empty="}, false},
	{{LABELS, "k8s:role=admin;"}, false},
	{{LABELS, ""}, false},
	{{LABELS, nil}, false},
	{{LABELS, "k8s:.*"}, false},
	{{LABELS, "k8s:role=%"}, false},
	{{nil, "k8s:role=admin"}, false},
	{{"", "k8s:role=admin"}, false},
	{{7, "k8s:role=admin"}, false},
	{{"k8s:role=admin", "k8s:role=admin"}, false}, -- cut off: no semicolon
	{{("k8s:a=b;"):rep(513), "k8s:a=b"}, false}, -- longer than labels can be
	{{"k8s:a=k8s:role=admin;", "k8s:role=admin"}, false},
})

rows("label", M.label, {
	{{LABELS, "k8s:role"}, "admin"},
	{{LABELS, "role"}, "admin"},
	{{LABELS, "k8s:empty"}, ""},
	{{LABELS, "k8s:none"}, nil},
	{{LABELS, "k8s:role=admin"}, nil},
	{{nil, "k8s:role"}, nil},
	{{LABELS, nil}, nil},
	{{("k8s:a=b;"):rep(513), "k8s:a"}, nil},
})

rows("labels_json", M.labels_json, {
	{{"k8s:role=admin;k8s:empty=;"}, '{"k8s:role":"admin","k8s:empty":""}'},
	{{nil}, "{}"},
	{{""}, "{}"},
	{{"k8s:role=admin"}, "{}"},
	{{'k8s:a="},{"b;'}, '{"k8s:a":"\\u0022\\u007d,\\u007b\\u0022b"}'},
	{{"k8s:a=</script>\\;"}, '{"k8s:a":"\\u003c/script\\u003e\\u005c"}'},
	{{"k8s:a=\r\n\0\255;"}, '{"k8s:a":"\\u000d\\u000a\\u0000\\ufffd"}'},
	{{("k8s:a=b;"):rep(513)}, "{}"},
})

local BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
rows("format", M.format, {
	{{nil}, "json"},
	{{""}, "json"},
	{{"*/*"}, "json"},
	{{BROWSER}, "html"},
	{{"text/html"}, "html"},
	{{"TEXT/HTML"}, "html"},
	{{"text/*"}, "html"},
	{{"application/xhtml+xml"}, "html"},
	{{"text/html;q=0"}, "json"},
	{{"text/html;q=0.5, application/json"}, "json"},
	{{"text/html, application/json"}, "html"},
	{{"application/problem+json"}, "json"},
	{{"application/json, text/plain, */*"}, "json"},
	{{"text/html ; charset=utf-8 ; q=0.9 , application/*;q=0.1"}, "html"},
	{{"text/html;q=9"}, "html"},
	{{"text/html;q=1.1.1"}, "json"},
	{{";;;,,,=;q=;"}, "json"},
	{{("a/b,"):rep(20) .. "text/html"}, "json"}, -- beyond the twentieth range
	{{(" "):rep(1000) .. "text/html"}, "json"}, -- beyond the 1000th byte
	{{("text/html;q=0.1;"):rep(10000)}, "html"},
	{{12}, "json"},
	{{"\0\255text/html"}, "json"},
})

rows("grpc_type", M.grpc_type, {
	{{nil}, nil},
	{{"application/json"}, nil},
	{{"application/grpc"}, "application/grpc"},
	{{"Application/gRPC+Proto"}, "application/grpc+proto"},
	{{"application/grpc-web+proto"}, "application/grpc-web+proto"},
	{{"application/grpc+evil"}, "application/grpc"},
	{{"application/grpc\r\nX-Evil: 1"}, "application/grpc"},
	{{"application/grpc" .. ("x"):rep(300)}, nil},
})

rows("status_of", M.status_of, {
	{{"deny", 401}, 401},
	{{"deny", 403}, 403},
	{{"deny", 200}, 503},
	{{"deny", nil}, 503},
	{{"deny", "401"}, 503},
	{{"error", 401}, 503},
	{{"allow", 200}, 503},
	{{nil, nil}, 503},
	{{nil, 401}, 503},
})

rows("header_text", M.header_text, {
	{{'Bearer error="invalid_token"', 100}, 'Bearer error="invalid_token"'},
	{{"Bearer\r\nX: 1", 100}, nil},
	{{"Bearer\0", 100}, nil},
	{{"Bearer\127", 100}, nil},
	{{"  ", 100}, nil},
	{{"", 100}, nil},
	{{("b"):rep(101), 100}, nil},
	{{7, 100}, nil},
})

rows("word", M.word, {
	{{"no_role"}, "no_role"},
	{{"8e4b1c02-6cb9-4d2c-9f1b-2a0b2f3b7a11"}, "8e4b1c02-6cb9-4d2c-9f1b-2a0b2f3b7a11"},
	{{"<b>"}, nil},
	{{"a b"}, nil},
	{{""}, nil},
	{{("a"):rep(65)}, nil},
	{{false}, nil},
})

rows("percent", M.percent, {
	{{"no_role"}, "no_role"},
	{{"50% \r\n\255"}, "50%25 %0D%0A%FF"},
})

same(M.html_text('<a b="c">&\0'), "&#60;a b=&#34;c&#34;&#62;&#38;\u{fffd}", "html")

-- ---- whole answers --------------------------------------------------------

local function header(answer, name)
	return answer.headers[name] and answer.headers[name][1]
end

local a = M.answer({status = 401, reason = "expired", request_id = "r-1",
	challenge = 'Bearer error="invalid_token"'})
same(a.status, 401, "problem: status")
same(header(a, "content-type"), "application/problem+json", "problem: type")
same(header(a, "www-authenticate"), 'Bearer error="invalid_token"', "problem: challenge")
same(header(a, "cache-control"), "no-store", "problem: not kept")
same(a.body, '{"type":"urn:identityd:reason:expired","title":"Unauthorized","status":401,'
	.. '"detail":"A valid credential is needed.","reason":"expired","request_id":"r-1"}\n',
	"problem: body")

a = M.answer({status = 401, challenge = "Bearer\r\nSet-Cookie: a=b"})
same(header(a, "www-authenticate"), "Bearer", "a challenge with a line break is left out")
a = M.answer({status = 401, challenge = ("x"):rep(5000)})
same(header(a, "www-authenticate"), "Bearer", "a challenge that is too long is left out")
same(a.body:find("reason", 1, true), nil, "no reason, none shown")

a = M.answer({status = 403, reason = "no_role"})
same(header(a, "www-authenticate"), nil, "403 has a challenge only if there is one")
a = M.answer({status = 403, reason = "<script>alert(1)</script>", accept = BROWSER,
	request_id = '"><script>'})
same(header(a, "content-type"), "text/html; charset=utf-8", "page: type")
same(a.body:find("script", 1, true), nil, "page: nothing of what is no word")
same(a.body:find("<h1>Forbidden</h1>", 1, true) ~= nil, true, "page: title")

a = M.answer({status = 503, reason = "map_full", accept = "*/*"})
same(a.body:find("map_full", 1, true), nil, "why we fail is for our log")
same(header(a, "retry-after"), "1", "503: again")

for status, wanted in pairs({[400] = "13", [401] = "16", [403] = "7", [404] = "12", [503] = "14"}) do
	a = M.answer({status = status, reason = "x", content_type = "application/grpc+proto",
		accept = BROWSER})
	same(a.status, 200, "grpc: HTTP status")
	same(a.body, "", "grpc: trailers only")
	same(header(a, "grpc-status"), wanted, "grpc: status of " .. status)
	same(header(a, "content-type"), "application/grpc+proto", "grpc: type")
end
for _, status in ipairs({0, 200, 302, 999}) do
	same(M.answer({status = status}).status, 503, "an unknown status is a 503")
end
same(M.answer({}).status, 503, "no status is a 503")

-- ---- what HAProxy gets ----------------------------------------------------

local registered = {}
core = {
	register_action = function(name, where, call, n)
		same(where[1], "http-req", name)
		registered[name] = {call = call, n = n}
	end,
	register_fetches = function(name, call) registered["fetch " .. name] = call end,
	register_converters = function(name, call) registered["conv " .. name] = call end,
}
assert(loadfile(PATH))("prefix=me", "type=https://example.com/reasons/")

local function transaction(variables, headers)
	local txn = {f = {}, sf = {}}
	function txn:get_var(name) return self == txn and variables[name] or nil end
	function txn.f:unique_id() return self == txn.f and "r-2" or nil end
	function txn.sf:req_fhdr(name) return self == txn.sf and headers[name] or "" end
	function txn:reply(answer) return self == txn and answer end
	function txn:done(answer) self.answer = answer end
	return txn
end

local txn = transaction({["txn.me.verdict"] = "deny", ["txn.me.status"] = 403,
	["txn.me.reason"] = "no_role", ["txn.me.labels"] = LABELS}, {})
registered["identity.refuse"].call(txn)
same(registered["identity.refuse"].n, 0, "refuse takes nothing")
same(txn.answer.status, 403, "refuse: the verdict's status")
same(txn.answer.body:find('"type":"https://example.com/reasons/no_role"', 1, true) ~= nil, true,
	"refuse: type=")
same(registered["fetch identity.has_label"](txn, "role=admin"), true, "fetch")
same(registered["fetch identity.label"](txn, "role"), "admin", "fetch")
same(registered["conv identity.has_label"](LABELS, "role=admin"), true, "converter")
same(registered["conv identity.labels_json"]("k8s:a=b;"), '{"k8s:a":"b"}', "converter")

-- A word from the request before must not stand in an answer without a verdict.
txn = transaction({["txn.me.reason"] = "no_role"}, {accept = "text/html"})
registered["identity.refuse"].call(txn)
same(txn.answer.status, 503, "refuse: no verdict")
same(txn.answer.body:find("no_role", 1, true), nil, "refuse: no verdict, no reason")
same(registered["fetch identity.has_label"](txn, "role=admin"), false, "no labels")
same(registered["fetch identity.labels_json"](txn), "{}", "no labels")
registered["identity.refuse_with"].call(txn, "400")
same(txn.answer.status, 400, "refuse_with")
registered["identity.refuse_with"].call(txn, "nonsense")
same(txn.answer.status, 503, "refuse_with nonsense")

-- ---- arguments of lua-load ------------------------------------------------

local name = os.tmpname()
local file = assert(io.open(name, "w"))
file:write("<p>{status} {title} {reason}{nothing}{}{STATUS}</p>")
file:close()
M.configure("html=" .. name)
a = M.answer({status = 403, reason = "no_role", accept = "text/html"})
same(a.body, "<p>403 Forbidden no_role{nothing}{}{STATUS}</p>", "html=")
file = assert(io.open(name, "w"))
file:write(("x"):rep(64 * 1024 + 1))
file:close()
same(pcall(M.configure, "html=" .. name), false, "a page that is too long")
os.remove(name)
same(pcall(M.configure, "html=" .. name), false, "a page that is not there")
same(pcall(M.configure, "htlm=x"), false, "an argument that is none")
same(pcall(M.configure, "prefix="), false, "an empty argument")

print(("Checks: %d, Failures: %d, Errors: 0"):format(checks, failures))
os.exit(failures == 0)
