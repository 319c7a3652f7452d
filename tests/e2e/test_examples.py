"""The example files as HAProxy itself reads them, and HAProxy without any agent."""
import os
import subprocess
import unittest

import harness
import procs
from harness import LabCase

EXAMPLES = os.path.join(harness.ROOT, "examples")


class Examples(unittest.TestCase):
    def check(self, *extra):
        env = {**os.environ, "IDENTITYD_SPOE_CONFIG": f"{EXAMPLES}/spoe-identity.cfg"}
        return subprocess.run([*harness.HAPROXY, "-c", *extra, "-f", f"{EXAMPLES}/haproxy.cfg"],
                              env=env, capture_output=True, text=True, check=False)

    def test_check(self):
        """haproxy -c takes them without a warning."""
        done = self.check("-dW")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("WARNING", done.stderr)


class NoAgent(LabCase):
    """HAProxy with nobody to ask."""

    @classmethod
    def make(cls):
        cls.lab.haproxy(f"unix@{cls.lab.dir}/nobody.sock")

    def test_closed(self):
        """Without a verdict nothing gets through."""
        self.refused(503)
        self.refused(503, token="x")
        self.refused(400, token="a" * 8200)
        self.refused(400, headers=[("Authorization", "a"), ("Authorization", "b")])

    def test_nothing_leaks(self):
        """Neither the credential nor the query is in HAProxy's log."""
        self.refused(503, path="/x?access_token=verysecret",
                     headers=[("Authorization", "Bearer alsosecret")])
        procs.eventually(lambda: "/x" in self.lab.proxy.text(), what="the request is logged")
        self.assertNotIn("secret", self.lab.proxy.text())


if __name__ == "__main__":
    unittest.main()
