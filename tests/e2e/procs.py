"""Processes of the lab: started in a cgroup when asked, ended by pid, their output kept."""
import atexit
import ctypes
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def eventually(check, timeout=5.0, every=0.02, what=""):
    """What check() returns as soon as it is true; AssertionError after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what or check.__name__}")
        time.sleep(every)


_ports = itertools.count(random.randrange(9000))
_range = (10000, 9000)


def use_ports(first, number):
    """Has free_port() choose among these: processes that run side by side share none."""
    global _range
    _range = (first, number)


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on, not the same again for a long time."""
    first, number = _range
    while True:
        port = first + next(_ports) % number
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def connects(address):
    """Does somebody accept on ("host", port) or "/unix/path"?"""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as s:
        s.settimeout(1)
        try:
            s.connect(address)
        except OSError:
            return False
    return True


class Process:
    """One child. Its stdout and stderr go to a file that text() and events() read."""

    def __init__(self, name, argv, log, cgroup=None, env=None, pass_fds=()):
        self.name, self.log = name, log

        def before_exec():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if cgroup:
                with open(os.path.join(cgroup, "cgroup.procs"), "w") as f:
                    f.write("0")

        with open(log, "ab") as out:
            self.start_of_log = out.tell()
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/",
                env={**os.environ, **(env or {})}, preexec_fn=before_exec,
                pass_fds=pass_fds)
        self.pid = self.child.pid
        atexit.register(self.kill)

    def alive(self):
        return self.child.poll() is None

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def kill(self):
        """kill -9, and gone when this returns."""
        self.signal(signal.SIGKILL)
        self.child.wait()

    def stop(self, timeout=10.0):
        """SIGTERM; the exit status, or kill -9 and AssertionError when it takes too long."""
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} ignored SIGTERM for {timeout} s") from None

    def text(self):
        """All that this process wrote (not its predecessors in the same file)."""
        with open(self.log, "rb") as f:
            f.seek(self.start_of_log)
            return f.read().decode("utf-8", "replace")

    def events(self, **want):
        """The JSON lines whose members have these values."""
        found = []
        for line in self.text().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and all(event.get(k) == v for k, v in want.items()):
                found.append(event)
        return found

    def wait_event(self, timeout=5.0, **want):
        return eventually(lambda: self.events(**want), timeout, what=f"{self.name}: {want}")[-1]

    def proc(self, name):
        """/proc/PID/name as text."""
        with open(f"/proc/{self.pid}/{name}") as f:
            return f.read()
