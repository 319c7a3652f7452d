"""Open connections whose token is revoked or expires, through the real HAProxy."""
import statistics
import threading
import time
import unittest

import harness
import kernel
import procs
from harness import CTL, LabCase
from web import Connection

LEEWAY = 30  # seconds, the default of a provider


class Ends:
    """When each of many tunnels ended, measured while they all are watched."""

    def __init__(self, connections, timeout):
        self.times = [None] * len(connections)

        def watch(i, connection):
            if connection.ended(timeout) is not None:
                self.times[i] = time.monotonic()

        self.threads = [threading.Thread(target=watch, args=(i, c))
                        for i, c in enumerate(connections)]
        for thread in self.threads:
            thread.start()

    def after(self, moment):
        """Seconds from moment to each end; None for those that stay open."""
        for thread in self.threads:
            thread.join()
        return [t and t - moment for t in self.times]


class Tunnels(LabCase):
    def open(self, n, token):
        """n websockets, each bound to the token's identity."""
        opened = [Connection(self.lab.port) for _ in range(n)]
        for connection in opened:
            self.addCleanup(connection.close)
            self.assertEqual(connection.upgrade(token), 101)
            self.assertTrue(connection.echo())
        return opened

    def test_revoked(self):
        """An identity's tunnels are gone within a second (p99); others do not notice."""
        victims = self.open(100, self.provider.token("reader"))
        others = self.open(10, self.provider.token("admin"))
        number = self.agent.flows()[victims[0].local]["identity"]
        ends = Ends(victims, 5)
        moment = time.monotonic()
        harness.run(CTL, "kernel", "kill", "--identity", str(number), "--socket",
                    self.agent.admin)
        times = sorted(ends.after(moment))
        self.assertNotIn(None, times)
        print(f"revoked: client's error after {statistics.median(times) * 1000:.0f} ms, "
              f"p99 {times[98] * 1000:.0f} ms")
        self.assertLess(times[98], 1.0)
        for connection in others:
            self.assertTrue(connection.echo())
        procs.eventually(lambda: not [c for c in victims if c.local in self.agent.flows()],
                         what="the entries go")
        self.agent.process.wait_event(event="kernel", action="kill", reason="revoked",
                                      enforced=True, identity=number)
        self.assertGreaterEqual(
            self.agent.metric(r'identityd_kernel_stops_total{action="kill"}'), 100)

    def test_revoked_token(self):
        """`identityctl revoke` ends the tunnels of that subject, of that token, and no others."""
        mine = self.open(20, self.provider.sign(sub="revoked-one"))
        one = self.open(1, self.provider.sign(sub="other", jti="revoked-jti"))
        others = self.open(5, self.provider.sign(sub="other", jti="good"))
        for connections, what in (mine, ("--sub", "revoked-one")), (one, ("--jti", "revoked-jti")):
            ends = Ends(connections, 5)
            moment = time.monotonic()
            harness.run(CTL, "revoke", "add", *what, "--socket", self.agent.admin)
            times = ends.after(moment)
            self.assertNotIn(None, times)
            self.assertLess(max(times), 1.0)
        self.agent.process.wait_event(event="flows_revoked", connections=20)
        for connection in others:
            self.assertTrue(connection.echo())

    def test_expired(self):
        """A tunnel is gone within a second of its token's expiry, a download goes on."""
        exp = int(time.time()) - LEEWAY + 3
        token = self.provider.sign(exp=exp, iat=exp - 60, sub="someone")
        tunnels = self.open(20, token)
        lasting = self.open(5, self.provider.token("admin"))
        with Connection(self.lab.port, timeout=10) as download:
            started = time.time()
            answer = []
            reading = threading.Thread(
                target=lambda: answer.append(download.get("/drip/5", token)))
            reading.start()
            ends = Ends(tunnels, 8)
            times = ends.after(time.monotonic() + (exp + LEEWAY - time.time()))
            self.assertNotIn(None, times)
            self.assertGreater(min(times), -0.05)
            self.assertLess(max(times), 1.0)
            reading.join()
            self.assertEqual(len(answer[0].body), 100)
            self.assertGreater(time.time(), exp + LEEWAY)
            self.assertLess(started, exp + LEEWAY)
        for connection in lasting:
            self.assertTrue(connection.echo())

    def test_shared(self):
        """A connection of two subjects is judged by request: nobody ends it."""
        with Connection(self.lab.port) as connection:
            for client in "reader", "admin":
                self.assertEqual(connection.get(token=self.provider.token(client)).status, 200)
            self.assertEqual(self.agent.flows()[connection.local]["flags"], kernel.SHARED)
            harness.run(CTL, "kernel", "kill", "--identity", "200", "--socket", self.agent.admin)
            time.sleep(0.5)
            self.assertEqual(connection.get(token=self.provider.token("admin")).status, 200)

    def test_daemon_gone(self):
        """Without a daemon packets of an expired tunnel are dropped all the same."""
        exp = int(time.time()) - LEEWAY + 2
        tunnel = self.open(1, self.provider.sign(exp=exp, iat=exp - 60, sub="orphan"))[0]
        self.agent.process.kill()
        self.addCleanup(self.lab.until, 200, token=self.provider.token())
        self.addCleanup(self.agent.start)
        before = kernel.counters(self.agent.options["bpf_dir"])
        time.sleep(max(0, exp + LEEWAY - time.time()) + 0.2)
        tunnel.http.sock.sendall(b"ping")
        self.assertIsNone(tunnel.ended(1))
        after = kernel.counters(self.agent.options["bpf_dir"])
        self.assertGreater(after["dropped"], before["dropped"])


class Observed(LabCase):
    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(more="observe: true")
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def test_observe(self):
        """observe: everybody gets through, the truth is in the reason, nothing is ended."""
        answer = self.lab.get()
        self.assertEqual(answer.status, 200)
        procs.eventually(lambda: " verdict=allow status=200 reason=no_token "
                         in self.lab.proxy.text().splitlines()[-1], what="HAProxy logs the truth")
        event = self.agent.process.wait_event(event="decision", reason="no_token")
        self.assertEqual((event["verdict"], event["observed"]), ("deny", True))
        with Connection(self.lab.port) as tunnel:
            self.assertEqual(tunnel.upgrade(self.provider.token("admin")), 101)
            harness.run(CTL, "kernel", "kill", "--identity", "200", "--socket", self.agent.admin)
            self.agent.process.wait_event(event="kernel", action="kill", enforced=False)
            self.assertTrue(tunnel.echo())


class Glass(LabCase):
    def test_broken_and_mended(self):
        """While the glass is broken the kernel only audits; it mends itself."""
        with Connection(self.lab.port) as tunnel:
            self.assertEqual(tunnel.upgrade(self.provider.token("admin")), 101)
            harness.run(CTL, "kernel", "break-glass", "--for", "2s", "--why", "test", "--socket",
                        self.agent.admin)
            event = self.agent.process.wait_event(event="break_glass", why="test")
            self.assertEqual(event["seconds"], 2)
            self.assertGreater(self.agent.status()["bpf"]["break_glass_s"], 0)
            harness.run(CTL, "kernel", "kill", "--identity", "200", "--socket", self.agent.admin)
            self.assertTrue(tunnel.echo())
            self.agent.process.wait_event(
                event="break_glass", state="over: the kernel enforces again")
            self.assertIsNotNone(tunnel.ended(3))


class NoKill(LabCase):
    """A kernel without bpf_sock_destroy, as `identityd-setup --without kill` makes it."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(setup=False, start=False)
        cls.said = cls.agent.setup("--without", "kill").stdout
        cls.agent.start()
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def test_packets_are_dropped(self):
        """What is lost is named; a revoked tunnel stays, and nothing passes through it."""
        self.assertIn("warning: kill: left out: revoked and expired connections are not ended",
                      self.said)
        missing = self.agent.status()["bpf"]["missing"]
        self.assertEqual([m["program"] for m in missing], ["kill"])
        self.assertIn("!! KERNEL LACKS kill", harness.run(
            CTL, "status", "--socket", self.agent.admin, check=False).stdout)
        self.agent.process.wait_event(event="kernel_program", program="kill", there=False)
        before = kernel.counters(self.agent.options["bpf_dir"])
        with Connection(self.lab.port) as tunnel:
            self.assertEqual(tunnel.upgrade(self.provider.token("admin")), 101)
            self.assertTrue(tunnel.echo())
            harness.run(CTL, "kernel", "kill", "--identity", "200", "--socket", self.agent.admin)
            tunnel.http.sock.sendall(b"ping")
            tunnel.http.sock.settimeout(1)
            self.assertRaises(TimeoutError, tunnel.http.sock.recv, 4)
        after = kernel.counters(self.agent.options["bpf_dir"])
        self.assertGreater(after["dropped"], before["dropped"])
        self.assertEqual(after["killed"], 0)
        self.agent.process.wait_event(event="kernel", action="drop", reason="revoked")


class Keeping(LabCase):
    def test_program_goes(self):
        """A program that is taken away is missed within seconds, and said to be back."""
        self.agent.setup("--without", "connect4")
        event = self.agent.process.wait_event(event="kernel_program", program="connect4")
        self.assertFalse(event["there"])
        self.agent.setup()
        self.agent.process.wait_event(event="kernel_program", program="connect4", there=True)

    def test_restart_reconciles(self):
        """After a restart dead entries go and live ones stay, with a bpffs that is read only."""
        bpf = self.agent.options["bpf_dir"]
        with Connection(self.lab.port) as live:
            self.assertEqual(live.get(token=self.provider.token("admin")).status, 200)
            self.agent.process.stop()
            key, value = kernel.raw_flow(self.agent.flows_pin, live.local)
            dead = bytearray(key)
            dead[32:34] = (1).to_bytes(2, "little")  # the client's port
            kernel.put(self.agent.flows_pin, dead, value)
            self.assertIn((live.local[0], 1), self.agent.flows())
            harness.run("mount", "-o", "remount,bind,ro", bpf)
            self.addCleanup(harness.run, "mount", "-o", "remount,bind,rw", bpf)
            self.agent.start()
            self.agent.process.wait_event(event="dead_flows", removed=1)
            self.assertEqual([k for k in self.agent.flows() if k[1] == 1], [])
            self.assertEqual(self.agent.flows()[live.local]["identity"], 200)
            self.lab.until(200, token=self.provider.token())
            with Connection(self.lab.port) as new:
                self.assertEqual(new.get(token=self.provider.token("admin")).status, 200)
                self.assertEqual(self.agent.flows()[new.local]["identity"], 200)


if __name__ == "__main__":
    unittest.main()
