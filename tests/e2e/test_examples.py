"""The example files as HAProxy itself reads them, and HAProxy without any agent."""
import concurrent.futures
import glob
import os
import re
import socket
import ssl
import subprocess
import tempfile
import unittest

import harness
import http2
import mute
import procs
import web
from harness import LabCase
from pki import Pki

EXAMPLES = os.path.join(harness.ROOT, "examples")


# Who drives each file with real traffic; most tests drive haproxy.cfg.
DRIVEN = {
    "haproxy.cfg": ("test_requests.py", "test_life.py", "test_loss.py"),
    "haproxy-mcp.cfg": ("test_mcp.py",),
    "haproxy-websocket.cfg": ("test_example_traffic.py",),
    "haproxy-grpc.cfg": ("test_example_traffic.py",),
    "haproxy-sticky.cfg": ("test_example_traffic.py",),
    "haproxy-tcp.cfg": ("test_example_traffic.py",),
    "haproxy-lua.cfg": ("test_example_traffic.py",),
}


def claimed(text):
    """The HAProxy versions that a file's first comment names."""
    head = re.match(r"(?:#.*\n)+", text)[0]
    found = re.findall(r"\b\d\.\d\b", re.search(r"HAProxy ([\d., and]+)", head)[1])
    return [tuple(map(int, version.split("."))) for version in found]


class Files(unittest.TestCase):
    """Every examples/haproxy*.cfg with the HAProxy under test, if the file claims it."""

    asks_identityd = False

    @classmethod
    def setUpClass(cls):
        cls.lab = harness.Lab("Files")
        cls.addClassCleanup(cls.lab.close)
        cls.pki = Pki(os.path.join(cls.lab.dir, "pki"))
        cls.files = {}
        for path in glob.glob(f"{EXAMPLES}/haproxy*.cfg"):
            with open(path) as f:
                cls.files[os.path.basename(path)] = f.read()
        cls.env = {"IDENTITYD_LUA": f"{harness.ROOT}/lua/identity.lua",
                   "IDENTITYD_MCP_METADATA": f"{EXAMPLES}/mcp-resource.json",
                   "IDENTITYD_CERT": cls.pki("haproxy.pem"),
                   "IDENTITYD_CLIENT_CA": cls.pki("ca.pem")}

    def each(self):
        """(name, text, SPOE file) of those that claim this HAProxy."""
        for name, text in sorted(self.files.items()):
            if harness.haproxy_version() in claimed(text):
                spoe = re.search(r"IDENTITYD_SPOE_CONFIG +/etc/haproxy/(\S+)", text)[1]
                yield name, text, spoe

    def test_all_driven(self):
        """Each file is driven by a test and claims a HAProxy that we test with."""
        self.assertEqual(set(DRIVEN), set(self.files))
        for name, text in self.files.items():
            self.assertTrue(set(claimed(text)) <= {(2, 6), (3, 0), (3, 2)}, name)
            self.assertTrue(claimed(text), name)
            for test in DRIVEN[name]:
                with open(f"{harness.ROOT}/tests/e2e/{test}") as f:
                    self.assertTrue(name == "haproxy.cfg" or name in f.read(), f"{test}: {name}")

    def test_check(self):
        """haproxy -c takes them without a warning, with the paths of an installation."""
        for name, _, spoe in self.each():
            with self.subTest(name):
                done = subprocess.run(
                    [*harness.HAPROXY, "-c", "-dW", "-f", f"{EXAMPLES}/{name}"],
                    env={**os.environ, **self.env, "IDENTITYD_SPOE_CONFIG": f"{EXAMPLES}/{spoe}"},
                    capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("WARNING", done.stderr)

    def ask(self, name, port):
        """One request of the kind that the file is for, with a credential: its status."""
        if "grpc" in name:
            return http2.call(port, token="x").grpc_status
        if "tcp" in name:
            return self.talk(port)
        if "websocket" in name:
            with web.Connection(port) as connection:
                return connection.upgrade("x")
        return web.get(port, "/mcp" if "mcp" in name else "/x", "x").status

    def talk(self, port):
        """503 when a TLS connection ends without a byte, else what came."""
        context = ssl.create_default_context(cafile=self.pki("ca.pem"))
        context.load_cert_chain(self.pki("haproxy.pem"))
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as s, \
                    context.wrap_socket(s, server_hostname="haproxy.test") as tls:
                tls.sendall(b"ping")
                return tls.recv(100) or 503
        except (ssl.SSLError, ConnectionError):
            return 503

    def test_closed(self):
        """An agent without a verdict, then no agent at all: nothing gets through."""
        agent = mute.Agent(f"{self.lab.dir}/mute.sock")
        ports = {}
        for name, _, spoe in self.each():
            self.lab.haproxy("unix@" + agent.path, config=name, spoe=spoe, env={
                **self.env, **{f"IDENTITYD_BACKEND_{n}": "127.0.0.1:1" for n in
                               ("MCP", "GRPC", "ONE", "TWO", "APP")}})
            ports[name] = self.lab.port
            before = agent.asked
            self.assertEqual(self.ask(name, self.lab.port), "14" if "grpc" in name else 503, name)
            self.assertGreater(agent.asked, before, name)
            # By its own rules, before default_backend would refuse as well.
            procs.eventually(lambda: re.search(r"fe_\w+~? fe_\w+/<NOSRV> ", self.lab.proxy.text())
                             or " be_nowhere" in self.lab.proxy.text(), 20, what=f"{name} logs")
            self.assertNotIn("be_nowhere", self.lab.proxy.text(), name)
        agent.close()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for name, status in zip(ports, pool.map(self.ask, ports, ports.values())):
                self.assertEqual(status, "14" if "grpc" in name else 503, name)
        self.assertEqual(sum(b.count for b in self.lab.backends), 0)


class Examples(unittest.TestCase):
    asks_identityd = False

    def test_log(self):
        """All HTTP examples log the same (identityctl trace reads it), TCP the same at its end."""
        lines = {}
        for path in glob.glob(f"{EXAMPLES}/haproxy*.cfg"):
            with open(path) as f:
                lines[os.path.basename(path)] = re.search(r"^\tlog-format (.*)$", f.read(), re.M)[1]
        tcp = lines.pop("haproxy-tcp.cfg")
        self.assertEqual(set(lines.values()), {lines["haproxy.cfg"]})
        end = lines["haproxy.cfg"].split("reqid=%ID")[1]
        self.assertTrue(tcp.endswith("reqid=%[var(txn.reqid)]" + end), tcp)

    def test_engines(self):
        """Both engines of a SPOE file say the same, but for their names and backends."""
        for path in glob.glob(f"{EXAMPLES}/spoe-*.cfg"):
            with open(path) as f:
                text = "\n".join(line for line in f.read().splitlines()
                                 if not line.strip().startswith("#"))
            first, second = text.split("[identityd-2]")
            self.assertEqual(
                first.replace("[identityd-1]", "").replace("identityd-1", "identityd-2").split(),
                second.replace("be_identityd_2", "be_identityd").split(), path)


class Agreement(unittest.TestCase):
    """identityd --check with HAProxy's SPOE file."""

    def check(self, conf="", spoe=lambda text: text, name="spoe-identity.cfg"):
        with tempfile.TemporaryDirectory() as folder:
            files = {"identityd.yaml": (f"{harness.ROOT}/conf/identityd.yaml",
                                        lambda text: text + conf),
                     "spoe.cfg": (f"{EXAMPLES}/{name}", spoe)}
            for name, (source, change) in files.items():
                with open(source) as f, open(f"{folder}/{name}", "w") as to:
                    to.write(change(f.read()))
            return harness.run(harness.IDENTITYD, "--check", f"{folder}/identityd.yaml",
                               "--spoe", f"{folder}/spoe.cfg", check=False)

    def test_examples_agree(self):
        """The deadline of the sample configuration is below the example's timeout processing."""
        for path in glob.glob(f"{EXAMPLES}/spoe-*.cfg"):
            done = self.check(name=os.path.basename(path))
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

    asks_identityd = False

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
