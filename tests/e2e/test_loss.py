"""Counted: no request is lost, whatever happens to one agent or to HAProxy (tests/e2e/loss.py)."""
import unittest

import harness
import loss
from harness import LabCase

REQUESTS = 2000


@unittest.skipIf("san" in harness.BUILD, "counts on the speed of a real build")
class Loss(LabCase):
    """
    One lab for each scenario; 0 of at least 2,000 requests. A machine that
    stands still for longer than HAProxy waits costs a request, whoever is
    asked: what was lost once must be lost again to be a failure, and is said.
    """
    once = True

    @classmethod
    def make(cls):
        pass

    def lose_none(self, name):
        for _ in range(2):
            load = self.count(name)
            lost = load.asked - load.counts.get("200", 0)
            if not lost:
                return
            print(f"{name}: {load.counts} of {load.asked}", flush=True)
        self.assertEqual(lost, 0, load.counts)

    def count(self, name):
        lab = harness.Lab(f"loss-{name}")
        self.addCleanup(lab.close)
        agents = loss.prepare(lab, name)
        lab.until(200, token=self.provider.token())
        load = loss.run(lab, agents, name, self.provider.token(), REQUESTS)
        lab.close()
        self.assertGreaterEqual(load.asked, REQUESTS)
        return load

    def test_restart(self):
        """One agent is stopped and started, while a service manager holds its sockets."""
        self.lose_none("restart")

    def test_replace(self):
        """One agent is replaced by another that takes over its sockets."""
        self.lose_none("replace")

    def test_drain(self):
        """One of two agents is stopped."""
        self.lose_none("drain")

    def test_kill(self):
        """One of two agents is killed."""
        self.lose_none("kill")

    def test_freeze(self):
        """One of two agents stands still for seconds."""
        self.lose_none("freeze")

    def test_reload(self):
        """HAProxy is reloaded."""
        self.lose_none("reload")


if __name__ == "__main__":
    unittest.main()
