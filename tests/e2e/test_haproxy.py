"""What each HAProxy's own engine does with the agent: handshake, checks, reload, sizes."""
import unittest

from harness import LabCase


class Reloaded(LabCase):
    """HAProxy with a master process."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent()
        cls.lab.haproxy("unix@" + cls.agent.unix, master=True)
        cls.lab.until(200, token=cls.provider.token())

    def test_reload(self):
        """A reloaded HAProxy asks the same agent; who went away is no error (haproxy.md 2.5)."""
        token = self.provider.token()
        before = self.lab.worker_pid()
        self.lab.reload_haproxy()
        self.assertNotEqual(self.lab.worker_pid(), before)
        for _ in range(3):
            self.assertEqual(self.lab.until(200, token=token).status, 200)
        self.assertEqual(self.agent.process.events(event="disconnect", level="warning"), [])


if __name__ == "__main__":
    unittest.main()
