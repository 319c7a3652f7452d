-- HAProxy Lua helpers for identityd, for HAProxy 2.6 and later (Lua 5.3, 5.4).
--
--   global
--       lua-load-per-thread /usr/share/identityd/lua/identity.lua
--
-- They render refusals and read labels. They decide nothing and validate no
-- token: the verdict is identityd's, and HAProxy's own rules obey it. A rule
-- that refuses by Lua is followed by one that refuses without (see
-- examples/haproxy-lua.cfg), since HAProxy goes on after an error in Lua.
--
--   http-request lua.identity.refuse           the answer that the verdict asks for
--   http-request lua.identity.refuse_with 400  this status
--   lua.identity.has_label(k8s:role=admin)     fetch: is the label there? Without
--                                              "=" with any value; no source: k8s
--   lua.identity.label(k8s:role)               fetch: the label's value
--   lua.identity.labels_json                   fetch: {"k8s:role":"admin"}
-- The three are converters, too: var(txn.ident.labels),lua.identity.labels_json
--
-- (lua-load does as well; then all threads take turns.) Words behind the file:
-- prefix=ident (option var-prefix of the SPOE file), html=FILE (a page with
-- {status} {title} {detail} {reason} {request_id}), type=URL (what a problem's
-- "type" begins with; the reason word follows).
local M = {}

local LABELS_MAX = 4096      -- ident/labels.h: the canonical text
local ACCEPT_MAX = 1000      -- bytes of Accept that are looked at
local RANGES_MAX = 20        -- media ranges in it
local CHALLENGE_MAX = 4096   -- WWW-Authenticate
local WORD_MAX = 64          -- reason words, request ids
local PAGE_MAX = 64 * 1024   -- a page from html=FILE

local PLAIN = "[^A-Za-z0-9 _.:/;=,+@-]"

local REFUSALS = {
	[400] = {"Bad Request", "The request cannot be judged as it is."},
	[401] = {"Unauthorized", "A valid credential is needed."},
	[403] = {"Forbidden", "The credential is valid, and does not allow this."},
	[404] = {"Not Found", "There is nothing here."},
	[503] = {"Service Unavailable", "Nobody can say now whether this is allowed. Try again."},
}

-- gRPC's own table of HTTP statuses (doc/http-grpc-status-mapping.md).
local GRPC_STATUS = {[400] = 13, [401] = 16, [403] = 7, [404] = 12, [503] = 14}
-- What is said back, never the caller's own words.
local GRPC_TYPES = {
	["application/grpc"] = true, ["application/grpc+proto"] = true,
	["application/grpc+json"] = true, ["application/grpc-web"] = true,
	["application/grpc-web+proto"] = true, ["application/grpc-web-text"] = true,
	["application/grpc-web-text+proto"] = true,
}

local FIELDS = {status = true, title = true, detail = true, reason = true, request_id = true}
local PAGE = [[
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{status} {title}</title></head>
<body><h1>{title}</h1><p>{detail}</p><p><small>{reason} {request_id}</small></p></body></html>
]]

local options = {prefix = "ident", type = "urn:identityd:reason:", page = PAGE}

-- ---- text ---------------------------------------------------------------

-- A string of at most max bytes, or nil: anything else is as good as absent.
local function bounded(value, max)
	if type(value) == "string" and #value <= max then
		return value
	end
	return nil
end

-- Printable ASCII as it is; what could end a JSON string, a script or an
-- attribute as \u00XX; other bytes are not ours (labels are ASCII): U+FFFD.
function M.json_text(text)
	return '"' .. text:gsub(PLAIN, function(c)
		return c:byte() < 128 and ("\\u%04x"):format(c:byte()) or "\\ufffd"
	end) .. '"'
end

function M.html_text(text)
	return (text:gsub(PLAIN, function(c)
		local code = c:byte()
		return (code >= 32 and code < 127) and ("&#%d;"):format(code) or "\u{fffd}"
	end))
end

-- gRPC's percent-encoding of grpc-message (PROTOCOL-HTTP2.md, Responses).
function M.percent(text)
	return (text:gsub("[^ -$&-~]", function(c)
		return ("%%%02X"):format(c:byte())
	end))
end

-- A word of ours: letters, digits and -._ only, else nothing.
function M.word(value)
	value = bounded(value, WORD_MAX)
	return value and value:match("^[A-Za-z0-9._-]+$")
end

-- Text for a header, or nil: no control bytes (RFC 9110 5.5), bounded.
function M.header_text(value, max)
	value = bounded(value, max)
	return value and not value:find("[%c\127]") and value:find("%S") and value or nil
end

-- ---- labels -------------------------------------------------------------

-- "role=admin" is "k8s:role=admin", as in identityd's configuration.
local function with_source(label)
	local name = label:match("^[^=]*")
	return name:find(":", 1, true) and label or "k8s:" .. label
end

-- Iterates over name and value of the canonical text "source:key=value;".
local function each(labels)
	return labels:gmatch("([^;=]+)=([^;]*);")
end

local function labels_of(value)
	value = bounded(value, LABELS_MAX)
	return value and value:sub(-1) == ";" and value or nil
end

function M.has_label(labels, label)
	labels, label = labels_of(labels), bounded(label, LABELS_MAX)
	if not labels or not label or label == "" or label:find(";", 1, true) then
		return false
	end
	label = ";" .. with_source(label) .. (label:find("=", 1, true) and ";" or "=")
	return (";" .. labels):find(label, 1, true) ~= nil
end

function M.label(labels, name)
	labels, name = labels_of(labels), bounded(name, LABELS_MAX)
	if not labels or not name then
		return nil
	end
	name = with_source(name)
	for key, value in each(labels) do
		if key == name then
			return value
		end
	end
	return nil
end

function M.labels_json(labels)
	local found = {}
	for name, value in each(labels_of(labels) or "") do
		found[#found + 1] = M.json_text(name) .. ":" .. M.json_text(value)
	end
	return "{" .. table.concat(found, ",") .. "}"
end

-- ---- what the caller reads ----------------------------------------------

-- {media range: q} of the first ranges in an Accept header (RFC 9110 12.5.1).
local function ranges(accept)
	local found, n = {}, 0
	for range in accept:sub(1, ACCEPT_MAX):lower():gmatch("[^,]+") do
		n = n + 1
		if n > RANGES_MAX then
			break
		end
		local name = range:match("^%s*([%w!#$&^_.+*/-]+)")
		local q = tonumber(range:match(";%s*q=([%d.]+)") or "1") or 0
		if name then
			found[name] = math.max(found[name] or 0, math.min(q, 1))
		end
	end
	return found
end

local function quality(found, exact, group)
	for _, name in ipairs(exact) do
		if found[name] then
			return found[name], true
		end
	end
	return found[group] or found["*/*"] or 0, false
end

-- "html" for whoever asks for it by name and for nothing of JSON more; else "json".
function M.format(accept)
	local found = ranges(type(accept) == "string" and accept or "")
	local html, named = quality(found, {"text/html", "application/xhtml+xml"}, "text/*")
	local json = quality(found, {"application/problem+json", "application/json"},
		"application/*")
	return (named and html > 0 and html >= json or html > json) and "html" or "json"
end

-- The media type for a gRPC caller's answer, or nil for everybody else.
function M.grpc_type(content_type)
	content_type = bounded(content_type, 256)
	local name = content_type and content_type:lower():match("^%s*(application/grpc[%w+-]*)")
	if not name then
		return nil
	end
	return GRPC_TYPES[name] and name or "application/grpc"
end

-- ---- refusals -----------------------------------------------------------

-- 401 and 403 only as part of a clear "deny"; whatever else it is: 503.
function M.status_of(verdict, status)
	if verdict == "deny" and (status == 401 or status == 403) then
		return status
	end
	return 503
end

local function problem(r)
	local members = {
		'"type":' .. M.json_text(r.reason and options.type .. r.reason or "about:blank"),
		'"title":' .. M.json_text(r.title),
		('"status":%d'):format(r.status),
		'"detail":' .. M.json_text(r.detail),
	}
	for _, name in ipairs({"reason", "request_id"}) do
		if r[name] then
			members[#members + 1] = ('"%s":%s'):format(name, M.json_text(r[name]))
		end
	end
	return "{" .. table.concat(members, ",") .. "}\n"
end

local function page(r)
	return (options.page:gsub("{([%l_]+)}", function(name)
		return FIELDS[name] and M.html_text(tostring(r[name] or ""))
	end))
end

local function as_grpc(r, content_type)
	return {status = 200, body = "", headers = {
		["content-type"] = {content_type},
		["grpc-status"] = {tostring(GRPC_STATUS[r.status])},
		["grpc-message"] = {M.percent(r.reason or r.title)},
	}}
end

local function as_http(r, accept)
	local html = M.format(accept) == "html"
	return {status = r.status, body = html and page(r) or problem(r), headers = {
		["content-type"] = {html and "text/html; charset=utf-8" or "application/problem+json"},
		["content-security-policy"] = html and {"default-src 'none'; style-src 'unsafe-inline'"}
			or nil,
		["vary"] = {"Accept"},
	}}
end

-- The answer to a refused request: {status, headers = {name = {value}}, body}.
-- request: status, reason, request_id, challenge, accept, content_type. Callers
-- learn reasons that they can mend or ask about; why we fail is for our log.
function M.answer(request)
	local status = REFUSALS[request.status] and request.status or 503
	local r = {status = status, title = REFUSALS[status][1], detail = REFUSALS[status][2],
		reason = status ~= 503 and M.word(request.reason) or nil,
		request_id = M.word(request.request_id)}
	local grpc = M.grpc_type(request.content_type)
	local answer = grpc and as_grpc(r, grpc) or as_http(r, request.accept)
	local challenge = M.header_text(request.challenge, CHALLENGE_MAX)

	answer.headers["cache-control"] = {"no-store"}
	answer.headers["x-content-type-options"] = {"nosniff"}
	if r.request_id then
		answer.headers["x-request-id"] = {r.request_id}
	end
	if status == 401 or (status == 403 and challenge) then
		answer.headers["www-authenticate"] = {challenge or "Bearer"}
	elseif status == 503 then
		answer.headers["retry-after"] = {"1"}
	end
	return answer
end

-- ---- HAProxy ------------------------------------------------------------

local function variable(txn, name)
	return txn:get_var("txn." .. options.prefix .. "." .. name)
end

local function refuse(txn, status)
	local answer = M.answer({
		status = status,
		reason = variable(txn, "verdict") and variable(txn, "reason"),
		request_id = txn.f:unique_id(),
		challenge = variable(txn, "challenge"),
		accept = txn.sf:req_fhdr("accept"),
		content_type = txn.sf:req_fhdr("content-type"),
	})
	txn:done(txn:reply(answer))
end

local function configure(...)
	for _, argument in ipairs({...}) do
		local name, value = argument:match("^(%l+)=(.+)$")
		if name == "html" then
			local file = assert(io.open(value, "rb"))
			options.page = file:read(PAGE_MAX + 1) or ""
			file:close()
			assert(#options.page <= PAGE_MAX, value .. ": more than 64 KiB")
		elseif name == "prefix" or name == "type" then
			options[name] = value
		else
			error("identity.lua takes prefix=, html= and type=, not " .. argument)
		end
	end
end

local function register()
	core.register_action("identity.refuse", {"http-req"}, function(txn)
		refuse(txn, M.status_of(variable(txn, "verdict"), variable(txn, "status")))
	end, 0)
	core.register_action("identity.refuse_with", {"http-req"}, function(txn, status)
		refuse(txn, tonumber(status))
	end, 1)
	for _, name in ipairs({"has_label", "label", "labels_json"}) do
		core.register_fetches("identity." .. name, function(txn, argument)
			return M[name](variable(txn, "labels"), argument)
		end)
		core.register_converters("identity." .. name, M[name])
	end
end

configure(...)
if core then
	register()
end
M.configure = configure
return M
