"""
What the real HAProxy does with the agent, in the rows of docs/HAPROXY.md that
need its own engine: health checks, agents that stop, freeze and wake, reloads.
"""
import random
import signal
import threading
import time
import unittest

import harness
import procs
import web
from harness import LabCase


class Reloaded(LabCase):
    """HAProxy with a master process."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent()
        cls.lab.haproxy("unix@" + cls.agent.unix, master=True)
        cls.lab.until(200, token=cls.provider.token())

    def test_reload(self):
        """HAPROXY.md 1.8.12: a reload is no error, and the new worker asks the same agent."""
        token = self.provider.token()
        before = self.lab.worker_pid()
        self.lab.reload_haproxy()
        self.assertNotEqual(self.lab.worker_pid(), before)
        for _ in range(3):
            self.assertEqual(self.lab.until(200, token=token).status, 200)
        self.assertEqual(self.agent.process.events(event="disconnect", level="warning"), [])


class OneAgent(LabCase):
    """HAProxy's own checks and one agent over TCP."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent()
        cls.lab.haproxy("%s:%d" % cls.agent.tcp)
        cls.lab.until(200, token=cls.provider.token())

    def test_checks(self):
        """
        HAPROXY.md 2.6.13, 2.8.1, 2.8.2, 2.8.5: HAProxy calls the agent up, calls it down when
        it has stopped, and up again; every check was answered, none was an error.
        """
        procs.eventually(self.lab.agents_up, what="up")
        self.agent.process.stop()
        procs.eventually(lambda: not self.lab.agents_up(), what="down")
        self.agent.start()
        procs.eventually(self.lab.agents_up, what="up again")
        self.assertGreater(self.agent.metric("^identityd_spop_healthchecks_total"), 1)
        self.assertEqual(self.agent.metric('identityd_spop_closed_total.*"bad_frame"'), 0)

    def test_no_leftovers(self):
        """
        HAPROXY.md 2.12.1: on one client connection, a request whose agent is gone has nothing
        of the request before it: no verdict, no identity, no backend.
        """
        token = self.provider.token()
        with web.Connection(self.lab.port) as connection:
            self.assertEqual(connection.get(token=token).status, 200)
            self.agent.process.kill()
            try:
                before = [b.count for b in self.lab.backends]
                self.assertEqual(connection.get(path="/after", token=token).status, 503)
                self.assertEqual([b.count for b in self.lab.backends], before)
            finally:
                self.agent.start()
        line = next(line for line in self.lab.proxy.text().splitlines() if "/after" in line)
        for name in "verdict", "id", "role", "reason":
            self.assertIn(f" {name}=- ", line)
        self.lab.until(200, token=token)


class Frozen(LabCase):
    """An agent that stands still, and one that goes on."""

    @classmethod
    def make(cls):
        cls.first = cls.lab.agent("a")
        cls.second = cls.lab.agent("b", setup=False)
        cls.lab.haproxy("unix@" + cls.first.unix, "unix@" + cls.second.unix)
        cls.lab.until(200, token=cls.provider.token())

    def warm(self):
        """Many requests at once, so that HAProxy has connections to both agents."""
        token = self.provider.token()
        threads = [threading.Thread(target=self.lab.get, kwargs={"token": token})
                   for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def asked_frozen(self, token):
        """
        The port of a client, gone by now, whose request went to the frozen agent:
        that took HAProxy's whole timeout.
        """
        def slow():
            port = random.randrange(20000, 30000)  # nobody else's
            start = time.monotonic()
            with web.Connection(self.lab.port, timeout=10, local_port=port) as client:
                self.assertIn(client.get(token=token).status, (200, 503))
                client.reset()
            return time.monotonic() - start > 0.19 and port
        return procs.eventually(slow, what="the frozen agent is asked")

    def late(self):
        """Requests refused unseen, and connections hung up on with requests in them."""
        return (self.first.metric('^identityd_decisions_total.*"too_late"') +
                self.first.metric('^identityd_spop_closed_total.*"stood_still"'))

    def allowed(self):
        return self.first.metric('^identityd_decisions_total.*"ok"')

    def test_wakes(self):
        """
        HAPROXY.md 2.6.10, 2.6.12: whatever lies in the sockets of an agent that was frozen is
        refused unseen when it wakes: late ACKs break nothing, no identity is written for a
        connection that is gone, and HAProxy goes on with it at once.
        """
        token = self.provider.token()
        self.warm()
        connections = [web.Connection(self.lab.port, timeout=10) for _ in range(8)]
        before, late = self.allowed(), self.late()
        self.first.process.signal(signal.SIGSTOP)
        try:
            statuses = [c.get(token=token).status for c in connections]
            locals_ = [c.local for c in connections]
            for c in connections:
                c.close()
            time.sleep(0.3)
        finally:
            self.first.process.signal(signal.SIGCONT)
        # Up to 3.0 the second try may meet the frozen agent's connection again.
        self.assertLessEqual(set(statuses), {200, 503})
        procs.eventually(lambda: self.late() > late, what="something was too late")
        self.assertEqual(self.allowed(), before)
        for local in locals_:
            self.assertNotIn(local, self.first.flows())
        procs.eventually(self.lab.agents_up, what="both are up")
        used = self.allowed()
        for _ in range(20):
            self.assertEqual(self.lab.get(token=token).status, 200)
        self.assertGreater(self.allowed(), used, "it is asked again")
        self.assertEqual(self.first.process.events(event="disconnect", level="warning"), [])

    def test_address_reused(self):
        """
        HAPROXY.md 2.6.10: a request that waited in a frozen agent writes nothing for whoever
        has its client's address and port by then.
        """
        self.warm()
        one, two = self.provider.token("admin"), self.provider.token("reader")
        late = self.late()
        self.first.process.signal(signal.SIGSTOP)
        try:
            port = self.asked_frozen(one)
            with web.Connection(self.lab.port, timeout=10, local_port=port) as new:
                self.first.process.signal(signal.SIGCONT)
                # Refused unseen, or hung up on: which one is up to the moment of waking.
                procs.eventually(lambda: self.late() > late, what="it goes on")
                self.assertEqual(self.second.flows()[new.local]["identity"], 0)
                procs.eventually(self.lab.agents_up, what="both are up")
                answer = new.get(token=two)
                self.assertEqual(answer.header("X-Identity-Role"), ["reader"])
                flow = self.second.flows()[new.local]
                self.assertEqual(str(flow["identity"]), answer.header("X-Identity-Id")[0])
        finally:
            self.first.process.signal(signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
