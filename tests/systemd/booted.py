"""
This machine's own system, booted a second time under its own systemd
(tests/systemd/boot), with files of ours in it.
"""
import contextlib
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def eventually(check, seconds, what):
    end = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return value


class System:
    """Where it is booted, /payload is this process's payload; units in it are installed."""

    def __init__(self):
        self.payload = tempfile.mkdtemp(prefix="identityd-payload-")
        os.mkdir(f"{self.payload}/units")
        os.chmod(self.payload, 0o755)
        self.boot = self.init = None

    def start(self):
        """Its output goes to a file: what it leaves running must not hold ours open."""
        with open(f"{self.payload}/boot.log", "w", encoding="utf-8") as log:
            self.boot = subprocess.Popen([os.path.join(HERE, "boot"), self.payload],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.init = eventually(self.child, 60, "init starts")
        eventually(self.is_up, 120, "the system is up")

    def is_up(self):
        said = self.run("systemctl", "is-system-running", check=False).stdout
        return "running" in said or "degraded" in said

    def child(self):
        if self.boot.poll() is not None:
            with open(f"{self.payload}/boot.log", encoding="utf-8") as f:
                raise AssertionError(f"the system did not boot:\n{f.read()}")
        # Until the last exec the child is still the script that mounts, and its children come and go.
        try:
            with open(f"/proc/{self.boot.pid}/task/{self.boot.pid}/children",
                      encoding="ascii") as f:
                children = f.read().split()
            return next((c for c in children
                         if os.readlink(f"/proc/{c}/exe").endswith("/systemd")), None)
        except OSError:
            return None

    def inside(self, *argv):
        return ["nsenter", "-t", self.init, "-a", "-r", "-w", *argv]

    def run(self, *argv, check=True, timeout=60):
        done = subprocess.run(self.inside(*argv), capture_output=True, text=True, check=False,
                              timeout=timeout)
        if check and done.returncode:
            raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def journal(self, lines=40):
        """Its end, without requests that went well."""
        said = self.run("journalctl", "-n", "5000", "-o", "short-precise", "--no-pager", check=False)
        found = [line for line in said.stdout.splitlines() if " 200 " not in line]
        return "\n".join(found[-lines:])

    def close(self):
        if self.init:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(self.init), signal.SIGRTMIN + 4)
        if self.boot:
            try:
                self.boot.wait(15 if self.init else 0)
            except subprocess.TimeoutExpired:
                self.boot.kill()  # and with it everything inside (--kill-child)
                self.boot.wait()
        # The script that boots becomes unshare: its branches have this process id.
        for top in glob.glob(f"/sys/fs/cgroup/**/identityd-boot-{self.boot and self.boot.pid}",
                             recursive=True):
            for path, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
        shutil.rmtree(self.payload)


def test_all(system, tests):
    """Runs each in turn, says so, and returns how many failed."""
    failed = 0
    for test in tests:
        try:
            test(system)
            print(f"{test.__doc__} ... ok", flush=True)
        except (AssertionError, subprocess.SubprocessError, OSError) as error:
            failed += 1
            print(f"{test.__doc__} ... FAILED\n{error!r}", flush=True)
            print(system.journal())
    print(f"e2e: {len(tests) - failed} passed, {failed} failed")
    return failed
