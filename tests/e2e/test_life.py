"""Restarts, kills, reloads and second agents: what a caller must not notice."""
import signal
import threading
import unittest

import harness
import procs
import web
from harness import LabCase


def identity(lab, client):
    return lab.get(token=harness.provider().token(client)).header("X-Identity-Id")[0]


class Restart(LabCase):
    def test_numbers_survive(self):
        """Identities keep their numbers over SIGTERM and over kill -9."""
        before = {client: identity(self.lab, client) for client in ("admin", "reader")}
        for end in self.agent.process.stop, lambda: self.agent.process.kill():
            end()
            self.agent.start()
            self.lab.until(200, token=self.provider.token())
            for client, number in before.items():
                self.assertEqual(identity(self.lab, client), number)

    def test_down(self):
        """No agent, no answer: 503, and 200 again when it is back."""
        token = self.provider.token()
        self.agent.process.kill()
        try:
            for _ in range(3):
                self.refused(503, token=token)
            self.refused(503)
        finally:
            self.agent.start()
        self.lab.until(200, token=token)

    def test_kernel_remembers(self):
        """What the kernel holds outlives the daemon, and the daemon finds it again."""
        token = self.provider.token()
        with web.Connection(self.lab.port) as connection:
            connection.get(token=token)
            before = self.agent.flows()[connection.local]
            self.agent.process.kill()
            self.assertEqual(self.agent.flows()[connection.local], before)
            self.agent.start()
            self.lab.until(200, token=token)
            self.assertEqual(connection.get(token=token).status, 200)
            self.assertEqual(self.agent.flows()[connection.local]["identity"], 200)

    def test_drain(self):
        """SIGTERM ends the daemon in time, with status 0."""
        self.assertEqual(self.agent.process.stop(timeout=10), 0)
        self.agent.start()
        self.lab.until(200, token=self.provider.token())


class Reload(LabCase):
    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def tearDown(self):
        self.agent.configure(roles=harness.ROLES)
        self.agent.reload()

    def test_good(self):
        """SIGHUP: the new roles hold for the next request."""
        token = self.provider.token("guest")
        self.refused(403, "no_role", token=token)
        self.agent.configure(roles=harness.ROLES +
                             "  - {name: all, labels: [\"k8s:role=all\"], route: be_reader}\n")
        self.agent.reload()
        answer = self.lab.until(200, token=token)
        self.assertEqual(answer.header("X-Identity-Role"), ["all"])

    def test_bad(self):
        """A bad file leaves the old configuration serving, and its mistake is said with its place."""
        with open(self.agent.config) as f:
            good = f.read()
        self.agent.configure(text=good.replace("workers:", "wurkers:"))
        self.agent.reload()
        self.assertIn(f"{self.agent.config}:5:1", self.agent.process.text())
        self.assertEqual(identity(self.lab, "admin"), "200")
        self.assertTrue(self.agent.process.alive())

    def test_check(self):
        """--check names every mistake with file, line and column, and exits 1."""
        with open(self.agent.config) as f:
            good = f.read()
        done = harness.run(harness.IDENTITYD, "--check", self.agent.config, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.agent.configure(text=good.replace("workers: 2", "workers: many\nno_such_key: 1"))
        done = harness.run(harness.IDENTITYD, "--check", self.agent.config, check=False)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.agent.config}:5:10: ", said)
        self.assertIn(f"{self.agent.config}:6:1: ", said)


class TwoAgents(LabCase):
    """Two agents, one set of maps."""

    @classmethod
    def make(cls):
        cls.first = cls.lab.agent("a")
        cls.second = cls.lab.agent("b", setup=False)
        cls.lab.haproxy("unix@" + cls.first.unix, "unix@" + cls.second.unix)
        cls.lab.until(200, token=cls.provider.token())

    def under_load(self, disturb, clients=8):
        """Clients ask all the time while disturb(agent) happens to each agent in turn."""
        token = self.provider.token()
        done, statuses = threading.Event(), []

        def client():
            with web.Connection(self.lab.port) as connection:
                while not done.is_set():
                    statuses.append(connection.get(token=token).status)

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()

        def more():
            seen = len(statuses)
            procs.eventually(lambda: len(statuses) > seen + 100, 20)

        try:
            more()
            for agent in self.first, self.second:
                disturb(agent)
                more()
                agent.start()
                # Whoever takes both away at once gets 503: HAProxy must know of this one first.
                procs.eventually(self.lab.agents_up)
                more()
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.assertEqual({s: statuses.count(s) for s in set(statuses)}, {200: len(statuses)})

    def test_one_dies(self):
        """HAPROXY.md 9.3: requests go on while one agent is killed, is back, and the other is killed."""
        self.under_load(lambda agent: agent.process.kill())

    def test_one_drains(self):
        """HAPROXY.md 9.1, 9.2: SIGTERM of one of two agents costs no request, whoever is connected to it."""
        self.under_load(lambda agent: self.assertEqual(agent.process.stop(), 0), clients=24)


if __name__ == "__main__":
    unittest.main()
