"""What the kernel holds, read with bpftool, and what happens when it holds nothing."""
import os
import unittest

import harness
import kernel
import procs
from harness import LabCase
from web import Connection


class Flows(LabCase):
    def entry(self, connection):
        return self.agent.flows().get(connection.local)

    def test_open_and_closed(self):
        """While the connection is open its entry carries the identity; afterwards it is gone."""
        with Connection(self.lab.port) as connection:
            answer = connection.get(token=self.provider.token("admin"))
            self.assertEqual(answer.status, 200)
            entry = self.entry(connection)
            self.assertEqual(entry["identity"], 200)
            self.assertEqual(entry["local"], ("127.0.0.1", self.lab.port))
            self.assertNotEqual(entry["cookie"], 0)
            self.assertNotEqual(entry["expires"], 0)
            local = connection.local
        procs.eventually(lambda: local not in self.agent.flows(), what="the entry goes")

    def test_made_by_the_kernel(self):
        """The entry is there, without an identity, before any request."""
        with Connection(self.lab.port) as connection:
            procs.eventually(lambda: self.entry(connection), what="the entry comes")
            self.assertEqual(self.entry(connection)["identity"], 0)
            self.assertEqual(connection.get().status, 401)
            self.assertEqual(self.entry(connection)["identity"], 0)

    def test_denied_changes_nothing(self):
        """A refused request leaves the identity of the connection as it was."""
        with Connection(self.lab.port) as connection:
            connection.get(token=self.provider.token("admin"))
            before = self.entry(connection)
            self.assertEqual(connection.get(token="x").status, 401)
            self.assertEqual(self.entry(connection), before)

    def test_second_subject(self):
        """A second subject on one connection: no identity speaks for both."""
        with Connection(self.lab.port) as connection:
            connection.get(token=self.provider.token("admin"))
            self.assertEqual(connection.get(token=self.provider.token("reader")).status, 200)
            entry = self.entry(connection)
            self.assertEqual((entry["identity"], entry["flags"] & 1), (0, 1))

    def test_setup_again(self):
        """Setting up a second time keeps every entry and goes on recording new ones."""
        with Connection(self.lab.port) as connection:
            connection.get(token=self.provider.token("admin"))
            self.agent.setup()
            self.assertEqual(self.entry(connection)["identity"], 200)
            with Connection(self.lab.port) as second:
                self.assertEqual(second.get(token=self.provider.token()).status, 200)
                self.assertEqual(self.entry(second)["identity"], 200)

    def test_no_capability(self):
        """The daemon is not root, may never gain anything, and dumps no core."""
        status = dict(line.split(":\t", 1) for line in
                      self.agent.process.proc("status").splitlines() if ":\t" in line)
        for name in "CapEff", "CapPrm", "CapInh", "CapAmb":
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual(status["Uid"].split(), [str(harness.UID)] * 4)
        self.assertEqual(status["Gid"].split(), [str(harness.UID)] * 4)
        self.assertEqual(status["NoNewPrivs"], "1")
        limit = [line.split()[4:6] for line in self.agent.process.proc("limits").splitlines()
                 if line.startswith("Max core file size")]
        self.assertEqual(limit, [["0", "0"]])

    def test_enforced_is_said(self):
        """Status and metrics say so while the maps are written."""
        self.assertEqual(self.agent.status()["bpf"]["state"], "enforced")
        self.assertEqual(self.agent.metric("^identityd_enforced"), 1)


class Full(LabCase):
    LIMIT = 16

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(max_flows=cls.LIMIT)
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def test_full(self):
        """When the map has no room the answer is 503, and 200 again when it has."""
        token = self.provider.token()
        procs.eventually(lambda: not self.agent.flows(), what="the map is empty")
        held = [Connection(self.lab.port) for _ in range(self.LIMIT)]
        try:
            procs.eventually(lambda: len(self.agent.flows()) == self.LIMIT)
            for connection in held:
                self.assertEqual(connection.get(token=token).status, 200)
            with Connection(self.lab.port) as late:
                self.assertEqual(late.get(token=token).status, 503)
            self.agent.process.wait_event(event="decision", reason="map_full")
            self.assertGreater(self.agent.metric('decisions_total.*reason="map_full"'), 0)
            self.assertEqual(held[0].get(token=token).status, 200)
        finally:
            for connection in held:
                connection.close()
        self.lab.until(200, token=token)


class PinsGo(LabCase):
    def test_deleted(self):
        """A pin deleted under the daemon: 503 until it is there again, nothing else lost."""
        token = self.provider.token()
        pid = self.agent.process.pid
        os.unlink(self.agent.flows_pin)
        self.lab.until(503, token=token)
        self.agent.process.wait_event(event="decision", reason="map_unavailable")
        self.refused(401, "no_token")
        self.assertEqual(self.agent.status()["bpf"]["state"], "lost")
        self.agent.setup()
        self.lab.until(200, token=token)
        self.assertTrue(self.agent.process.alive())
        self.assertEqual(self.agent.process.pid, pid)


class NoPins(LabCase):
    @classmethod
    def make(cls):
        pass

    def test_required(self):
        """bpf required and no pins: the daemon does not start, and says why."""
        agent = self.lab.agent("required", setup=False, start=False)
        agent.launch()
        self.assertNotEqual(agent.process.child.wait(10), 0)
        self.assertIn(agent.options["bpf_dir"], agent.process.text())

    def test_auto(self):
        """bpf auto and no pins: it serves, and says aloud that nothing is enforced."""
        agent = self.lab.agent("auto", setup=False, bpf="auto")
        self.lab.haproxy("unix@" + agent.unix)
        self.lab.until(200, token=self.provider.token())
        self.assertIn("not_enforced", agent.process.text())
        self.assertEqual(agent.status()["bpf"]["state"], "not_enforced")
        self.assertRegex(agent.metrics(), r"(?m)^identityd_enforced 0$")
        self.assertGreater(agent.metric("^identityd_decisions_not_enforced"), 0)

    def test_remove(self):
        """--remove takes everything away again, also twice."""
        agent = self.lab.agent("remove", start=False)
        self.assertTrue(kernel.mounted(agent.options["bpf_dir"]))
        agent.setup("--remove")
        self.assertFalse(kernel.mounted(agent.options["bpf_dir"]))
        agent.setup("--remove")


if __name__ == "__main__":
    unittest.main()
