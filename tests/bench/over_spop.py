"""SPOP on a socket: the agent beside floors, and how its cost grows."""
import os
import socket
import time

import lab as l
import spop

SHAPES = ((1, 1), (16, 1), (1, 32), (4, 32))
KINDS = "unix", "tcp"

# Best peer agent, which checks nothing, and the floor beside it: messages a second. No peer can be
# installed here, so its figure is scaled by what the floor does in this run.
PEERS = {("unix", 1, 1): (21200, 22500), ("tcp", 1, 1): (14200, 17100),
         ("unix", 16, 1): (138000, 381000), ("tcp", 16, 1): (93000, 173000),
         ("tcp", 1, 32): (114000, 524000), ("unix", 4, 32): (223000, 3660000),
         ("tcp", 4, 32): (117000, 3440000)}


def name(what, kind, conns, depth):
    return f"{what}, {kind} {conns} x {depth}"


def peer(found, kind, conns, depth):
    """The best peer's rate, scaled; None where it was never measured."""
    if (kind, conns, depth) not in PEERS:
        return None
    rate, floor = PEERS[kind, conns, depth]
    return rate * found.get(name("floor", kind, conns, depth), "rate") / floor


def shapes(lab, tokens, one, found):
    """The table of connections times frames in flight."""
    agent = l.Agent(lab, "cached")
    new = l.Agent(lab, "new", cache="64KiB")  # room for a few of the tokens: none is met again
    l.warm(agent, tokens, 3 * 10000)
    frame = 1300
    servers = [("raw bytes", l.Floor(lab, "echo", frame), {"raw": frame}),
               ("floor", l.Floor(lab, "ack"), {"tokens": tokens}),
               ("one token", agent, {"tokens": one}),
               ("10 k tokens", agent, {"tokens": tokens}),
               ("all tokens new", new, {"tokens": tokens})]
    for _ in range(l.ROUNDS):
        for kind in KINDS:
            for conns, depth in SHAPES:
                for what, server, how in servers:
                    if "raw" in how and depth > 1:
                        continue
                    found.add(name(what, kind, conns, depth),
                              l.load(server, kind, conns, depth, **how))
    l.must_be_new(new)
    return agent


def workers(lab, tokens, found):
    """
    Two workers against one, both free to use both cores, with tokens that are
    verified each time: then the load generator needs a few hundredths of a core.
    """
    agents = {n: l.Agent(lab, f"workers{n}", cache="0", workers=n, cpu=None) for n in (1, 2)}
    for _ in range(l.ROUNDS):
        for n, agent in agents.items():
            found.add(f"workers, {n}", l.load(agent, "unix", 8, 16, tokens=tokens, cpu=None))


def connections(agent, tokens, found):
    for _ in range(l.ROUNDS):
        for conns in (1, 10, 100, 1000):
            found.add(f"connections, {conns}", l.load(agent, "unix", conns, 1, tokens=tokens))


def cached_tokens(lab, found):
    """Cost and memory with ever more tokens remembered; each size has an agent of its own."""
    sizes = (1000, 100000) if l.QUICK else (1000, 100000, 1000000)
    folder = lab.path("many")
    os.mkdir(folder)
    many = os.path.join(folder, "ES256.tokens")
    l.run([l.tool("tokens"), folder, "#\n", f"ES256:{sizes[-1]}"])
    os.replace(os.path.join(folder, "identityd.yaml"), lab.path("identityd.yaml"))
    for n in sizes:
        some = os.path.join(folder, f"{n}.tokens")
        with open(many) as lines, open(some, "w") as out:
            for _, line in zip(range(n), lines):
                out.write(line)
        agent = l.Agent(lab, f"tokens{n}", cache="640MiB")
        before = l.resident(agent.pid)
        l.warm(agent, some, n + 100)
        found.add(f"tokens, {n}", {"bytes_each": (l.resident(agent.pid) - before) * 1024 / n})
        for _ in range(l.ROUNDS):
            found.add(f"lookups, {n}", l.load(agent, "unix", 4, 32, tokens=some))
        os.unlink(some)


def memory(lab, tokens, found):
    """Resident memory: idle, with idle connections, and over many messages."""
    # What is remembered is full soon: what grows then is no cache.
    agent = l.Agent(lab, "memory", cache="8MiB")
    time.sleep(2)  # for what a start leaves behind
    idle = l.resident(agent.pid)
    held = []
    for _ in range(1000):
        s = socket.socket(socket.AF_UNIX)
        s.connect(agent.unix)
        s.sendall(spop.encode_frame(spop.HAPROXY_HELLO, spop.encode_hello()))
        s.recv(1024)
        held.append(s)
    time.sleep(0.2)
    each = (l.resident(agent.pid) - idle) / 1000
    for s in held:
        s.close()
    l.warm(agent, tokens, 3 * 10000)
    n = 1000000 if l.QUICK else 10000000
    before = l.resident(agent.pid)
    l.load(agent, "unix", 4, 32, tokens=tokens, count=n)
    found.add("memory", {"idle_kib": idle, "connection_kib": each,
                         "grown_kib": l.resident(agent.pid) - before, "messages": n})
