#!/usr/bin/env python3
"""
What watching costs, with goals: the audit log under full load, and a scrape of 5,000 series while
requests go on. One worker on a core beside its agent's other threads, the load on the other core.

  tests/bench/operate.py      as root, after build/bench; writes build/bench/operate.json
"""
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

import lab as l
import kernel  # of the end-to-end tests

ROUNDS = 9 if l.QUICK else 15
SECONDS = 0.5 if l.QUICK else 1
SCRAPES = 30
IDENTITIES = 420  # times 3 verdicts, 2 directions, packets and bytes
SETUP = os.path.join(l.BUILD, "setup", "identityd-setup")
GOALS = (("audit, every request a line: the worker's time for each", "audit_worker_ratio", "<=", 1.05),
         ("series in a scrape", "series", ">=", 5000),
         ("a scrape: the main thread's time", "scrape_cpu_ms", "<=", 20),
         ("p50 while scraped each second, against not", "p50_ratio", "<=", 1.05),
         ("p99 while scraped each second, against not", "p99_ratio", "<=", 1.1))


def without(text, section):
    """The text of a configuration without the line of this section."""
    return re.sub(rf"^{section}:.*\n", "", text, flags=re.M)


class Agent(l.Agent):
    """identityd with more lines in its configuration; its roles are the last of the common ones."""

    def __init__(self, lab, name, roles="", more="", before=None):
        path = lab.path("identityd.yaml")
        with open(path) as f:
            text = f.read()
        try:
            with open(path, "w") as f:
                f.write((without(text, "bpf") if "bpf:" in more else text) + roles
                        + more.replace("DIR", lab.path(name)))
            if before:
                before(path)
            super().__init__(lab, name)
        finally:
            with open(path, "w") as f:
                f.write(text)


def load(agent, *how, **more):
    """A machine that stands still makes the agent hang up (spop.max_stall): measured again then."""
    for left in range(4, -1, -1):
        try:
            return l.load(agent, "unix", *how, **more)
        except SystemExit:
            if not left:
                raise
    return None


def used_ns(pid, task):
    """Processor time of one thread."""
    with open(f"/proc/{pid}/task/{task}/schedstat") as f:
        return int(f.read().split()[0])


def spread(agent):
    """The worker stays on its core; whatever else the agent does may use both. The worker's id."""
    tasks = os.listdir(f"/proc/{agent.pid}/task")
    worker = max(tasks, key=lambda task: used_ns(agent.pid, task))
    for task in tasks:
        if task != worker:
            os.sched_setaffinity(int(task), {l.LOAD_CPU, l.SERVER_CPU})
    return worker


def messages(agent):
    return agent.metric("identityd_decisions_total")


def audit(lab, tokens):
    """
    Every request a line, beside no line, in pairs that follow each other: medians of the pairs, so
    that the machine's moods hit both. What requests pay is the worker's processor time for each;
    lines are made by a thread of their own, which on two cores takes turns with the load generator
    or the worker: the ratio of the throughput says what that comes to, the goal is the worker's.
    """
    agents = {"plain": Agent(lab, "plain"),
              "logged": Agent(lab, "logged", more="audit: {to: file, path: DIR/audit.log, max_size: 1GiB}\n")}
    workers = {}
    for name, agent in agents.items():
        l.warm(agent, tokens, 10100)
        workers[name] = spread(agent)
    cost, rate, line = [], [], []
    for _ in range(ROUNDS):
        us, rates = {}, {}
        for name, agent in agents.items():
            before, n = used_ns(agent.pid, workers[name]), messages(agent)
            whole = sum(used_ns(agent.pid, t) for t in os.listdir(f"/proc/{agent.pid}/task"))
            rates[name] = load(agent, 4, 32, tokens=tokens, seconds=SECONDS)["rate"]
            time.sleep(0.3)  # the last lines
            n = messages(agent) - n
            us[name] = (used_ns(agent.pid, workers[name]) - before) / n / 1000
            whole = sum(used_ns(agent.pid, t) for t in os.listdir(f"/proc/{agent.pid}/task")) - whole
            if name == "logged":
                line.append(whole / n / 1000 - us[name])
        cost.append(us["logged"] / us["plain"])
        rate.append(rates["logged"] / rates["plain"])
    return {"audit_worker_ratio": statistics.median(cost), "audit_rate_ratio": statistics.median(rate),
            "audit_line_us": statistics.median(line),
            "audit_lines": agents["logged"].metric("identityd_audit_lines_total"),
            "audit_lost": agents["logged"].metric("identityd_audit_lost_total")}


def fill(pin):
    """Traffic of every identity, as the kernel would have counted it."""
    value = "7b 0 0 0 0 0 0 0 c8 1 0 0 0 0 0 0"  # of each processor
    lines = []
    for number in range(10000, 10000 + IDENTITIES):
        key = " ".join(f"{b:x}" for b in number.to_bytes(4, "little"))
        lines += [f"map update pinned {pin} key hex {key} {verdict} {direction} 0 0 value hex {value}"
                  for verdict in range(3) for direction in range(2)]
    done = subprocess.run(["bpftool", "batch", "file", "/dev/stdin"], input="\n".join(lines) + "\n",
                          text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: bpftool: {done.stderr[:500]}{done.stdout[-500:]}")


def ask(path):
    """GET /metrics over the unix socket: milliseconds until the last byte, and the text."""
    start = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        parts = list(iter(lambda: s.recv(1 << 20), b""))
    return 1000 * (time.monotonic() - start), b"".join(parts).decode()


def scrape(lab, tokens):
    bpf = lab.path("bpf")
    cgroup = kernel.make_cgroup()
    roles = "".join(f"  - {{name: r{n}, provider: corp, when: [{{claim: none, equals: x}}], "
                    f"labels: [r={n}], number: {10000 + n}}}\n" for n in range(IDENTITIES))
    more = f"bpf: {{mode: required, path: {bpf}, cgroup: {cgroup}, group: \"{l.UID}\", " \
           "max_identities: 4096}\nidentity: {max: 4096}\n"

    def setup(path):
        with open(path) as f:
            text = f.read()
        config = lab.path("setup.yaml")
        with open(config, "w") as f:
            f.write(f"version: 1\nlisten: [{{unix: {lab.path('none.sock')}}}]\n"
                    + text.split("#\n", 1)[1])
        l.run([SETUP, "--config", config])
        fill(os.path.join(bpf, "stats"))
    agent = Agent(lab, "scraped", roles, more, setup)
    try:
        l.warm(agent, tokens, 10100)
        spread(agent)
        before = used_ns(agent.pid, agent.pid)  # of the main thread, which answers
        times = [ask(agent.admin) for _ in range(SCRAPES)]
        cpu_ms = (used_ns(agent.pid, agent.pid) - before) / SCRAPES / 1e6
        series = sum(1 for line in times[0][1].splitlines() if line.startswith(("identityd_", "process_")))
        quiet, watched = [], []
        for _ in range(ROUNDS):
            quiet.append(load(agent, 16, 1, tokens=tokens, seconds=2 * SECONDS))
            stop = threading.Event()

            def each_second():
                while not stop.wait(1):
                    ask(agent.admin)
            thread = threading.Thread(target=each_second)
            thread.start()
            watched.append(load(agent, 16, 1, tokens=tokens, seconds=2 * SECONDS))
            stop.set()
            thread.join()

        def ratio(field):
            return statistics.median(w[field] / q[field] for w, q in zip(watched, quiet))
        return {"series": series, "scrape_cpu_ms": cpu_ms,
                "scrape_ms": statistics.median(t for t, _ in times),
                "scrape_bytes": len(times[0][1]), "p50_ratio": ratio("p50_us"),
                "p99_ratio": ratio("p99_us"), "rate_ratio": ratio("rate")}
    finally:
        agent.process.stop()
        subprocess.run([SETUP, "--config", lab.path("setup.yaml"), "--remove"], check=False,
                       capture_output=True)
        kernel.remove_cgroup(cgroup)


def main():
    lab = l.Lab()
    try:
        lab.tokens(RS256=10000)
        tokens = lab.path("RS256.tokens")
        found = {**audit(lab, tokens), **scrape(lab, tokens)}
    finally:
        lab.close()
    missed = 0
    l.say("\nWhat watching costs")
    for key, value in found.items():
        l.say(f"  {key:<16} {value:>14.3f}")
    for what, key, sign, goal in GOALS:
        met = found[key] >= goal if sign == ">=" else found[key] <= goal
        missed += not met
        l.say(f"  {'met   ' if met else 'MISSED'} {what:<56} {found[key]:>9.3f} (goal {sign} {goal})")
    with open(os.path.join(l.BUILD, "operate.json"), "w") as f:
        json.dump(found, f, indent=1)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
