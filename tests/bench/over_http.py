"""
HTTP through HAProxy: the agent beside HAProxy's own jwt_verify, beside no
authentication, and beside floors: servers that look at nothing and set one
variable, or all that the agent sets. What HAProxy itself spends on a request
to the latter no agent can save it.
"""
import json
import os
import re
import shutil
import subprocess

import lab as l
import procs
import spop

CONNECTIONS = 32
SECONDS = 1 if l.QUICK else 2
ROUNDS = 2 if l.QUICK else 3
ERRORS = 0.01  # a machine that is busy for 200 ms makes some; the table says how many
VERSIONS = ("2.6",) if l.QUICK else ("2.6", "3.2")

FRONTEND = """
frontend {name}
	bind 127.0.0.1:{port}
	unique-id-format %[uuid()]
{rules}
	http-request return status 200
"""
NATIVE = """\
	http-request set-var(txn.bearer) http_auth_bearer
	http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify({alg},"{pem}") 1 }}"""
ASK = """\
	filter spoe engine {name} config {config}
	http-request set-var(txn.service) str(be_reader)
	http-request set-var(txn.tunnel) bool(false)
	http-request send-spoe-group {name} identify
	http-request deny deny_status 401 unless {{ var(txn.ident.verdict) -m str allow }}"""
BACKEND = """
backend {name}
	mode tcp
	timeout connect 1s
	timeout server 1m
	server agent unix@{unix}
"""
HEAD = """\
global
	nbthread 1
defaults
	mode http
	timeout connect 1s
	timeout client 30s
	timeout server 30s
"""
SCRIPT = """\
local requests = {}
for line in io.lines("%s") do
	requests[#requests + 1] = wrk.format("GET", "/v1/orders/12345?page=2",
		{["Host"] = "api.example.com", ["Authorization"] = "Bearer " .. line})
end
local i = 0
request = function()
	i = i %% #requests + 1
	return requests[i]
end
done = function(summary, latency)
	io.write(string.format('RESULT {"rate": %%.1f, "p50_us": %%d, "p99_us": %%d, "errors": %%d, "n": %%d}\\n',
		summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
		summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
		summary.requests))
end
"""


def spoe_config(lab, name):
    """The first engine of examples/spoe-identity.cfg under another name."""
    with open(os.path.join(l.ROOT, "examples", "spoe-identity.cfg")) as f:
        text = f.read()
    text = text[:text.index("[identityd-2]")].replace("identityd-1", name)
    text = text.replace("be_identityd", f"be_{name}")
    path = lab.path(f"{name}-spoe.cfg")
    with open(path, "w") as f:
        f.write(text)
    return path


def answer_of(lab, agent):
    """A file with what the agent answers to one of the tokens, without the frame's head."""
    with open(lab.path("one.tokens")) as f:
        token = f.read().strip()
    with spop.FakeHaproxy(agent.unix) as haproxy:
        haproxy.hello()
        haproxy.notify("identify", [("token", spop.Str(token)), ("service", spop.Str("be_reader"))])
        payload = haproxy.recv_frame().payload
    if spop.variables(payload).get("verdict") != spop.Str("allow"):
        raise SystemExit("bench: the agent does not allow the token")
    path = lab.path("answer")
    with open(path, "wb") as f:
        f.write(payload)
    return path


def cases(lab, agents):
    """name -> (frontend's rules, tokens, the agent that is asked or None)."""
    many, one = lab.path("RS256.tokens"), lab.path("one.tokens")
    es = lab.path("ES256.tokens")
    ask = {name: ASK.format(name=name, config=spoe_config(lab, name)) for name in agents}
    native = {alg: NATIVE.format(alg=alg, pem=lab.path(f"{alg}.pem")) for alg in ("RS256", "ES256")}
    return {
        "nothing": ("", many, None),
        "native RS256": (native["RS256"], many, None),
        "native ES256": (native["ES256"], es, None),
        "floor, one variable": (ask["floor_one"], one, agents["floor_one"]),
        "floor, all variables": (ask["floor_all"], one, agents["floor_all"]),
        "agent, one token": (ask["http_cached"], one, agents["http_cached"]),
        "agent, 10 k tokens": (ask["http_cached"], many, agents["http_cached"]),
        "agent, all tokens new": (ask["http_new"], many, agents["http_new"]),
    }


def configure(lab, agents, todo):
    text, ports = HEAD, {}
    for i, (case, (rules, *_)) in enumerate(todo.items()):
        ports[case] = procs.free_port()
        text += FRONTEND.format(name=f"fe{i}", port=ports[case], rules=rules)
    for name, agent in agents.items():
        text += BACKEND.format(name=f"be_{name}", unix=agent.unix)
    path = lab.path("haproxy.cfg")
    with open(path, "w") as f:
        f.write(text)
    return path, ports


def wrk(lab, port, tokens, conns, seconds):
    script = lab.path("wrk.lua")
    with open(script, "w") as f:
        f.write(SCRIPT % tokens)
    text = l.run(["taskset", "-c", l.SERVER_CPU, "wrk", "-t", 1, "-c", conns, "-d", f"{seconds}s", "-s",
                  script, f"http://127.0.0.1:{port}"])
    result = json.loads(re.search(r"RESULT (.*)", text)[1])
    if result["errors"] > result["n"] * ERRORS or not result["n"]:
        raise SystemExit(f"bench: wrk with {tokens}: {result}")
    return result


def one_measurement(lab, haproxy, port, case, conns, seconds):
    """wrk's figures, and what HAProxy and the agent spent on each request."""
    _, tokens, agent = case
    pids = {"haproxy_us": haproxy.pid, "agent_us": agent.pid if agent else None}
    before = {name: l.cpu_us(pid) for name, pid in pids.items() if pid}
    result = wrk(lab, port, tokens, conns, seconds)
    for name, pid in pids.items():
        result[name] = (l.cpu_us(pid) - before[name]) / result["n"] if pid else 0
    return result


def haproxy_of(version):
    done = subprocess.run([os.path.join(l.ROOT, "scripts", "fetch-haproxy"), version],
                          capture_output=True, text=True, timeout=300)
    return done.stdout.strip() if done.returncode == 0 else None


def one_version(lab, version, agents, todo, found):
    program = haproxy_of(version)
    if not program:
        l.say(f"  HAProxy {version} cannot be had here: left out")
        return
    path, ports = configure(lab, agents, todo)
    haproxy = lab.start(f"haproxy-{version}", [*program.split(), "-db", "-f", path], cpu=l.LOAD_CPU)
    procs.eventually(lambda: not haproxy.alive() or procs.connects(("127.0.0.1", ports["nothing"])), 10,
                     what=f"HAProxy {version}")
    if not haproxy.alive():
        raise SystemExit(f"bench: HAProxy {version} ended:\n{haproxy.text()}")
    for case, how in todo.items():  # everything once
        one_measurement(lab, haproxy, ports[case], how, CONNECTIONS, 1)
    for _ in range(ROUNDS):
        for case, how in todo.items():
            found.add(f"{version}: {case}",
                      one_measurement(lab, haproxy, ports[case], how, CONNECTIONS, SECONDS))
    for case in ("nothing", "native RS256", "agent, one token"):
        found.add(f"{version}: {case}, one at a time",
                  one_measurement(lab, haproxy, ports[case], todo[case], 1, 1))
    haproxy.stop()


def measure(lab, found):
    """
    wrk and the agent share a core, HAProxy has the other. Verifying is work for
    more than what wrk leaves of a core: the agent of the new tokens has two
    workers, on whichever core has time for them.
    """
    if not shutil.which("wrk"):
        raise SystemExit("bench: wrk is missing: scripts/install-deps bench")
    agents = {"http_cached": l.Agent(lab, "http_cached"),
              "http_new": l.Agent(lab, "http_new", cache="128KiB", workers=2, cpu=None)}
    agents["floor_one"] = l.Floor(lab, "ack")
    agents["floor_all"] = l.Floor(lab, "say", answer_of(lab, agents["http_cached"]))
    l.warm(agents["http_cached"], lab.path("RS256.tokens"), 3 * 10000)
    todo = cases(lab, agents)
    try:
        for version in VERSIONS:
            one_version(lab, version, agents, todo, found)
        l.must_be_new(agents["http_new"])
    finally:
        for agent in agents.values():  # they would share the cores with what is measured next
            agent.stop()
