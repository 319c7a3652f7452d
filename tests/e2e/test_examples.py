"""The example files as HAProxy itself reads them, and HAProxy without any agent."""
import os
import subprocess
import tempfile
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

    def test_engines(self):
        """Both engines of the SPOE file say the same, but for their names and backends."""
        with open(f"{EXAMPLES}/spoe-identity.cfg") as f:
            text = "\n".join(line for line in f.read().splitlines() if not line.strip().startswith("#"))
        first, second = text.split("[identityd-2]")
        self.assertEqual(
            first.replace("[identityd-1]", "").replace("identityd-1", "identityd-2").split(),
            second.replace("be_identityd_2", "be_identityd").split())


class Agreement(unittest.TestCase):
    """identityd --check with HAProxy's SPOE file."""

    def check(self, conf="", spoe=lambda text: text):
        with tempfile.TemporaryDirectory() as folder:
            files = {"identityd.yaml": (f"{harness.ROOT}/conf/identityd.yaml",
                                        lambda text: text + conf),
                     "spoe.cfg": (f"{EXAMPLES}/spoe-identity.cfg", spoe)}
            for name, (source, change) in files.items():
                with open(source) as f, open(f"{folder}/{name}", "w") as to:
                    to.write(change(f.read()))
            return harness.run(harness.IDENTITYD, "--check", f"{folder}/identityd.yaml",
                               "--spoe", f"{folder}/spoe.cfg", check=False)

    def test_examples_agree(self):
        """The deadline of the sample configuration is below the example's timeout processing."""
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_deadline(self):
        """A deadline that HAProxy does not wait for is said with its place, and ends with 1."""
        done = self.check(spoe=lambda text: text.replace("processing 200ms", "processing 150ms"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"spoe\.cfg:\d+:\d+: 'timeout processing' must be above")

    def test_names(self):
        """HAPROXY.md 1.5.1: a prefix that makes a name longer than 63 bytes is said."""
        done = self.check(spoe=lambda text: text.replace("var-prefix ident", "var-prefix " + "i" * 50))
        self.assertEqual(done.returncode, 1)
        self.assertIn("HAProxy takes 63", done.stderr)


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
