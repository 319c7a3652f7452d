"""
The lab: HAProxy with examples/haproxy.cfg as it stands, in a cgroup of its own;
identityd as uid 61001 with its maps in a bpffs of its own; two backends. All of
it is gone after close(), also when a test failed or was interrupted.

BUILD selects the binaries (default build/dev); HAPROXY another HAProxy, e.g.
HAPROXY=$(scripts/fetch-haproxy 3.2).
"""
import atexit
import functools
import grp
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import kernel
import procs
import tokens
import web

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build/dev"))
HAPROXY = shlex.split(os.environ.get("HAPROXY", "haproxy"))
IDENTITYD = os.path.join(BUILD, "spoa", "identityd")
SETUP = os.path.join(BUILD, "setup", "identityd-setup")
CTL = os.path.join(BUILD, "ctl", "identityctl")
UID = 61001
SANITIZED = os.path.basename(BUILD) in ("asan", "tsan")
# Sanitizers make system calls of their own.
SECCOMP = "off" if SANITIZED else "enforce"

# (HAProxy says "runtime error:" of Lua, without a column before it.)
SANITIZER = re.compile(r"ERROR: AddressSanitizer|:\d+:\d+: runtime error:|WARNING: ThreadSanitizer"
                       r"|detected memory leaks")

CONFIG = """\
version: 1
listen:
{listen}
workers: {workers}
admin: {{unix: {dir}/admin.sock, handover: {dir}/handover.sock{admin_more}}}
store: {{path: {dir}/state.db}}
seccomp: {seccomp}
bpf: {{mode: {bpf}, path: {bpf_dir}, cgroup: {cgroup}, group: "{uid}", ports: [], max_flows: {max_flows}}}
providers:
  - {{name: corp, issuer: "{issuer}", allow_http: true, audiences: [api], \
algorithms: [RS256, ES256, PS256, EdDSA], refresh: {refresh}{provider_more}}}
roles:
{roles}
{more}
"""

ROLES = """\
  - {name: admin, provider: corp, when: [{claim: [roles], any: [admin]}], \
labels: ["k8s:role=admin"], number: 200, route: be_admin}
  - {name: reader, provider: corp, when: [{claim: scope, any: [read]}], \
labels: ["k8s:role=reader"], route: be_reader}
"""

labs = []  # the open ones, for whoever reports a failure
_provider = None


def provider():
    """The identity provider that all labs share, for as long as nobody breaks it."""
    global _provider
    if not _provider:
        _provider = tokens.Provider(tempfile.mkstemp(prefix="identityd-idp-")[1])
        atexit.register(lambda: os.unlink(_provider.log))
        atexit.register(_provider.close)
    return _provider


def run(*argv, check=True):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    if check and done.returncode:
        raise AssertionError(f"{shlex.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


@functools.cache
def haproxy_version():
    """(major, minor) of the HAProxy under test."""
    said = run(*HAPROXY, "-v").stdout
    return tuple(int(n) for n in re.search(r"version (\d+)\.(\d+)", said).groups())


class Agent:
    """One identityd: its folder, configuration, maps and process."""

    def __init__(self, lab, name, **options):
        self.lab, self.name = lab, name
        self.dir = os.path.join(lab.dir, name)
        os.mkdir(self.dir)
        os.chown(self.dir, UID, UID)
        self.config = os.path.join(lab.dir, f"{name}.yaml")
        self.unix = os.path.join(self.dir, "spop.sock")
        self.admin = os.path.join(self.dir, "admin.sock")
        self.tcp = ("127.0.0.1", procs.free_port())
        self.process, self.sockets = None, []
        self.options = {"bpf": "required", "bpf_dir": os.path.join(lab.dir, "bpf"),
                        "activated": False,  # sockets come from a service manager: us
                        "env": {},  # of the process, beside ours
                        "unix_more": "", "tcp_more": "",  # further keys of the listeners
                        "max_flows": 4096, "seccomp": SECCOMP, "workers": 2, "refresh": "10m", "roles": ROLES, "more": "",
                        "provider_more": "", "admin_more": "", **options}
        if "issuer" not in options:
            self.options["issuer"] = provider().issuer
        self.configure()

    def configure(self, text=None, **options):
        """Writes the configuration anew: with other options, or this text."""
        self.options.update(options)
        listen = f"  - {{unix: {self.unix}, mode: 0660, group: haproxy{self.options['unix_more']}}}\n" \
                 f"  - {{tcp: {self.tcp[0]}:{self.tcp[1]}{self.options['tcp_more']}}}"
        text = text or CONFIG.format(listen=listen, dir=self.dir, cgroup=self.lab.cgroup,
                                     uid=UID, **self.options)
        with open(self.config, "w") as f:
            f.write(text)

    @property
    def flows_pin(self):
        return os.path.join(self.options["bpf_dir"], "flows")

    def flows(self):
        return kernel.flows(self.flows_pin)

    def setup(self, *extra):
        return run(SETUP, "--config", self.config, *extra)

    def activate(self):
        """The listening sockets, made as a service manager makes them and kept open."""
        self.sockets = []
        for address, gid in (self.unix, grp.getgrnam("haproxy").gr_gid), (self.tcp, 0), \
                (self.admin, 0):
            s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(address)
            if isinstance(address, str):
                os.chown(address, UID, gid)
                os.chmod(address, 0o660)
            s.listen(4096)
            self.sockets.append(s)

    def launch(self, replace=False):
        """Starts the daemon and waits for nothing. replace: instead of the one that runs."""
        haproxy = grp.getgrnam("haproxy").gr_gid
        argv = [IDENTITYD, "--config", self.config, "--user", f"{UID}:{UID},{haproxy}",
                *["--replace"] * replace]
        how = {"env": self.options["env"]}
        if self.options["activated"]:
            if not self.sockets:
                self.activate()
            fds = [s.fileno() for s in self.sockets]
            moves = " ".join(f"{3 + i}<&{fd}" for i, fd in enumerate(fds))
            argv = ["bash", "-c", f'LISTEN_PID=$$ exec "$@" {moves}', "bash", *argv]
            how = {"pass_fds": fds, "env": {**self.options["env"], "LISTEN_FDS": str(len(fds)),
                                            "LISTEN_FDNAMES": "spop:spop:admin"}}
        self.process = self.lab.start(f"identityd-{self.name}", argv, **how)

    def start(self):
        """Starts the daemon; returns when it accepts on all its sockets."""
        self.launch()
        procs.eventually(lambda: not self.process.alive() or all(
            procs.connects(a) for a in (self.unix, self.tcp, self.admin)), 10,
            what=f"{self.name} accepts")
        if not self.process.alive():
            raise AssertionError(f"{self.name} ended:\n{self.process.text()}")

    def reload(self):
        """SIGHUP; the log record that says what became of it."""
        before = len(self.process.events(event="reload"))
        self.process.signal(signal.SIGHUP)
        return procs.eventually(lambda: self.process.events(event="reload")[before:],
                                what="reload is logged")[-1]

    def status(self):
        """The exit status is 1 while something is wrong; the text is the same."""
        done = run(CTL, "status", "--socket", self.admin, "-o", "json", check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(f"identityctl status: {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)

    def metrics(self):
        return run(CTL, "metrics", "--socket", self.admin).stdout

    def metric(self, pattern):
        """Sum over all series whose name and labels match this pattern."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.metrics().splitlines()
                   if not line.startswith("#") and re.search(pattern, line.rsplit(" ", 1)[0]))


class Lab:
    def __init__(self, name):
        self.name = name
        self.dir = tempfile.mkdtemp(prefix=f"identityd-{name.lower()}-")
        os.chmod(self.dir, 0o755)
        self.processes, self.agents, self.backends = [], [], []
        self.cgroup = kernel.make_cgroup()
        self.port = None
        self.closed = False
        labs.append(self)
        atexit.register(self.close)

    def start(self, name, argv, **how):
        process = procs.Process(name, argv, os.path.join(self.dir, f"{name}.log"), **how)
        self.processes.append(process)
        return process

    def agent(self, name="a", setup=True, start=True, **options):
        agent = Agent(self, name, **options)
        self.agents.append(agent)
        if setup:
            agent.setup()
        if start:
            agent.start()
        return agent

    def _config(self, example, bind):
        """A file of examples/, or a copy of it with more words behind its one bind."""
        path = os.path.join(ROOT, "examples", example)
        if not bind:
            return path
        with open(path) as f:
            text = f.read()
        copy = os.path.join(self.dir, example)
        with open(copy, "w") as f:
            f.write(text.replace('bind "${IDENTITYD_BIND}"', f'bind "${{IDENTITYD_BIND}}" {bind}'))
        return copy

    def haproxy(self, *agents, master=False, spoe="spoe-identity.cfg", config="haproxy.cfg",
                bind="", env=None):
        """
        HAProxy in front of two backends, asking these agents: addresses in
        HAProxy's words; one stands for both servers. master: with a master
        process, for reload(). spoe: a file of examples/, or a path. config: a file
        of examples/; bind: what follows the address in it, e.g. "ssl crt ...".
        """
        self.port = procs.free_port()
        admin, reader = (web.Backend(name, procs.free_port()) for name in ("admin", "reader"))
        self.backends += [admin, reader]
        examples = os.path.join(ROOT, "examples")
        self.admin_socket = os.path.join(self.dir, "haproxy.sock")
        mode = ["-W", "-S", os.path.join(self.dir, "master.sock")] if master else ["-db"]
        self.proxy = self.start("haproxy", [
            *HAPROXY, *mode, "-f", self._config(config, bind)],
            cgroup=self.cgroup, env={
                **(env or {}),
                "IDENTITYD_BIND": f"127.0.0.1:{self.port}",
                "IDENTITYD_AGENT_1": agents[0],
                "IDENTITYD_AGENT_2": agents[-1],
                "IDENTITYD_SPOE_CONFIG": os.path.join(examples, spoe),
                "IDENTITYD_HAPROXY_SOCKET": self.admin_socket,
                "IDENTITYD_BACKEND_ADMIN": f"127.0.0.1:{admin.port}",
                "IDENTITYD_BACKEND_READER": f"127.0.0.1:{reader.port}"})
        procs.eventually(lambda: not self.proxy.alive() or (
            procs.connects(self.admin_socket) and procs.connects(("127.0.0.1", self.port))),
            10, what="HAProxy listens")
        if not self.proxy.alive():
            raise AssertionError(f"HAProxy ended:\n{self.proxy.text()}")

    def command(self, text):
        """What HAProxy's admin socket answers."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.admin_socket)
            s.sendall(text.encode() + b"\n")
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def worker_pid(self):
        """HAProxy's process that takes new connections."""
        info = self.command("show info")
        return int(re.search(r"^Pid: (\d+)$", info, re.M).group(1))

    def reload_haproxy(self, timeout=10.0):
        """
        Reloads a HAProxy that has a master (SIGUSR2, as systemctl reload does).
        Returns when a new worker listens; the old one ends by itself.
        """
        before = self.worker_pid()

        def heard():
            """A master that just began is deaf to signals and commands alike."""
            with socket.socket(socket.AF_UNIX) as s:
                try:
                    s.settimeout(1)
                    s.connect(os.path.join(self.dir, "master.sock"))
                    s.sendall(b"show proc\n")
                    return s.recv(4096)
                except OSError:
                    return False

        def renewed():
            try:
                return self.worker_pid() != before
            except (OSError, AttributeError):
                return False
        procs.eventually(heard, timeout, what="HAProxy's master listens")
        self.proxy.signal(signal.SIGUSR2)
        procs.eventually(renewed, timeout, what="HAProxy reloads")

    def get(self, path="/", token=None, headers=()):
        return web.get(self.port, path, token, headers)

    def agents_up(self):
        """Does HAProxy's health check call every agent up?"""
        text = self.command("show servers state")
        states = [line.split()[5] for line in text.splitlines() if " be_identityd" in line]
        return len(states) == 2 and set(states) == {"2"}

    def until(self, status, timeout=10.0, **request):
        """Asks again until the answer has this status."""
        return procs.eventually(lambda: (lambda a: a if a.status == status else None)(
            self.get(**request)), timeout, every=0.05, what=f"status {status}")

    def logs(self):
        """{file name: text} of every process of this lab."""
        found = {}
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".log"):
                with open(os.path.join(self.dir, name), "rb") as f:
                    found[name] = f.read().decode("utf-8", "replace")
        return found

    def complaints(self):
        """What no log may hold: a sanitizer's report, or bytes of a token."""
        found = []
        for name, text in self.logs().items():
            if match := SANITIZER.search(text):
                found.append(f"{name}: {text[match.start():match.start() + 3000]}")
            found += [f"{name} holds bytes of a token" for part in tokens.secrets if part in text]
        return found

    def close(self):
        """Ends everything in order; AssertionError when something did not end well."""
        if self.closed:
            return
        self.closed = True
        wrong = []
        for agent in self.agents:
            if agent.process and agent.process.alive():
                try:
                    if status := agent.process.stop():
                        wrong.append(f"{agent.process.name} ended with {status}:\n"
                                     f"{agent.process.text()[-2000:]}")
                except AssertionError as error:
                    wrong.append(str(error))
        for process in reversed(self.processes):
            process.kill()
        for backend in self.backends:
            backend.close()
        for agent in self.agents:
            if kernel.mounted(agent.options["bpf_dir"]):
                run(SETUP, "--config", agent.config, "--remove", check=False)
                kernel.unmount(agent.options["bpf_dir"])
        kernel.remove_cgroup(self.cgroup)
        wrong += self.complaints()
        shutil.rmtree(self.dir)
        labs.remove(self)
        if wrong:
            raise AssertionError(f"lab {self.name}: " + "\n".join(wrong))


class LabCase(unittest.TestCase):
    """
    A test class with one lab for all its tests; make() fills it. One that asks
    no HAProxy says so: with the second and third HAProxy it is not run again.
    """

    asks_haproxy = True

    @classmethod
    def setUpClass(cls):
        cls.provider = provider()
        cls.lab = Lab(cls.__name__)
        cls.addClassCleanup(cls.lab.close)
        cls.make()

    @classmethod
    def make(cls):
        """One agent over its unix socket, and the keys are there."""
        cls.agent = cls.lab.agent()
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def refused(self, status, reason=None, **request):
        """The answer has this status, no backend saw the request, HAProxy logged the reason."""
        before = [b.count for b in self.lab.backends]
        answer = self.lab.get(**request)
        self.assertEqual(answer.status, status)
        self.assertEqual([b.count for b in self.lab.backends], before)
        if reason:
            procs.eventually(lambda: f" reason={reason} " in (self.lab.proxy.text().splitlines() or [""])[-1],
                             what=f"HAProxy logs reason={reason}")
        return answer
