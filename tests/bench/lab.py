"""
What is measured, and with what: the programs of build/bench, each server on a
core of its own, the load on another. Everything lives in one temporary folder.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build/bench"))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import procs  # noqa: E402  (the end-to-end tests' processes)
import spop  # noqa: E402

QUICK = os.environ.get("BENCH") == "quick"
ROUNDS = 3 if QUICK else 5
SECONDS = 0.25 if QUICK else 0.5
LOAD_CPU, SERVER_CPU = 0, 1
UID = 61001

IDENTITYD = os.path.join(BUILD, "spoa", "identityd")


def tool(name):
    return os.path.join(BUILD, "tests", "bench", f"bench_{name}")


def run(argv, timeout=300):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(map(str, argv))}: {done.returncode}\n"
                         f"{done.stdout}{done.stderr}")
    return done.stdout


def resident(pid):
    """KiB."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


class Lab:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="identityd-bench-")
        os.chmod(self.dir, 0o755)
        self.processes = []

    def close(self):
        for process in self.processes:
            process.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def start(self, name, argv, cpu=SERVER_CPU):
        """cpu None: any core."""
        pin = [] if cpu is None else ["taskset", "-c", str(cpu)]
        process = procs.Process(name, pin + [str(a) for a in argv], self.path(f"{name}.log"))
        self.processes.append(process)
        return process

    def tokens(self, **counts):
        """Tokens, keys and a configuration without its first lines."""
        run([tool("tokens"), self.dir, "#\n", *(f"{alg}:{n}" for alg, n in counts.items())])


class Floor:
    """The least that a server can do, on a unix socket and on TCP."""

    def __init__(self, lab, mode, *args):
        self.unix = lab.path(f"{mode}.sock")
        self.tcp = f"127.0.0.1:{procs.free_port()}"
        self.process = lab.start(f"floor-{mode}", [tool("floor"), mode, *args, self.unix, self.tcp])
        self.pid = self.process.pid
        procs.eventually(lambda: procs.connects(self.unix), what=mode)

    def stop(self):
        self.process.stop()
        os.unlink(self.unix)


class Agent:
    """identityd with a cache of this size, on a unix socket and on TCP."""

    def __init__(self, lab, name, cache="64MiB", workers=1, cpu=SERVER_CPU):
        self.lab = lab
        folder = lab.path(name)
        os.mkdir(folder)
        os.chown(folder, UID, UID)
        self.unix, self.admin = os.path.join(folder, "s.sock"), os.path.join(folder, "a.sock")
        port = procs.free_port()
        self.tcp = f"127.0.0.1:{port}"
        with open(lab.path("identityd.yaml")) as f:
            rest = f.read().split("#\n", 1)[1]
        config = lab.path(f"{name}.yaml")
        with open(config, "w") as f:
            f.write(f"version: 1\nlisten: [{{unix: {self.unix}, mode: 0666}}, {{tcp: {self.tcp}}}]\n"
                    f"admin: {{unix: {self.admin}}}\nstore: {{path: {folder}/state.db}}\n"
                    f"spop: {{max_connections: 4096, max_stall: 0, hello_timeout: 10s}}\nworkers: {workers}\n"
                    f"cache: {{tokens: {cache}}}\nlog: {{level: warning}}\n{rest}")
        self.process = lab.start(name, [IDENTITYD, "--config", config, "--user", UID], cpu)
        procs.eventually(lambda: not self.process.alive() or procs.connects(self.unix), 10, what=name)
        if not self.process.alive():
            raise SystemExit(f"bench: {name} ended:\n{self.process.text()}")
        self.pid = self.process.pid

    def stop(self):
        self.process.stop()

    def metric(self, name):
        text = run([os.path.join(BUILD, "ctl", "identityctl"), "metrics", "--socket", self.admin])
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith(name))


def cpu_us(pid):
    """CPU time of a process so far."""
    used = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            used += int(f.read().split()[0])
    return used / 1e3


def load(server, kind, conns, depth, *, tokens=None, seconds=None, cpu=LOAD_CPU, **more):
    """One measurement by the load generator: its JSON."""
    argv = [tool("load"), "--to", getattr(server, kind), "--conns", conns, "--depth", depth,
            "--server", server.pid]
    if tokens:
        argv += ["--tokens", tokens]
    if cpu is not None:
        argv += ["--cpu", cpu]
    if "count" not in more:
        argv += ["--seconds", seconds or SECONDS, "--warm", 0.1]
    for name, value in more.items():
        argv += [f"--{name}", value]
    return json.loads(run(argv))


def must_be_new(agent):
    """Next to none of what this agent was asked was remembered, or the figure is no cold one."""
    cached, verified = (agent.metric(f'identityd_tokens_total{{from="{w}"}}') for w in ("cache", "verification"))
    if cached > 0.02 * verified:
        raise SystemExit(f"bench: {cached:.0f} tokens that should be new were remembered, {verified:.0f} were not")


def warm(agent, tokens, n):
    """n NOTIFYs. Three for each token: verified, remembered, known by its bytes."""
    load(agent, "unix", 1, 32, tokens=tokens, count=n)


class Medians:
    """Measurements of several rounds: name -> list of what load() and others return."""

    def __init__(self):
        self.found = {}

    def add(self, name, result):
        self.found.setdefault(name, []).append(result)

    def get(self, name, field):
        return statistics.median(r[field] for r in self.found[name])

    def table(self):
        return {name: {field: statistics.median(r[field] for r in results)
                       for field, value in results[0].items() if isinstance(value, (int, float))}
                for name, results in self.found.items()}


def say(text):
    print(text, flush=True)


def clock(what, started):
    say(f"  ({what}: {time.monotonic() - started:.0f} s)")
