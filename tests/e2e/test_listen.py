"""Who may connect to the agent: users of the unix socket, addresses, TLS with certificates."""
import os
import socket
import ssl
import unittest

import harness
import procs
import web
from harness import LabCase
from pki import Pki
from test_spop import HELLO

REFUSED = '^identityd_spop_connections_refused_total.*why="not_allowed"'


def answered(family, address, source=None):
    """Does the agent answer a HELLO from here?"""
    with socket.socket(family) as s:
        s.settimeout(5)
        try:
            if source:
                s.bind((source, 0))
            s.connect(address)
            s.sendall(HELLO)
            return bool(s.recv(100))
        except OSError:
            return False


class Allowed(LabCase):
    """HAProxy's user and one address are on the lists; this test is root."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(start=False, unix_more=", users: [haproxy]",
                                  tcp_more=", allow: [127.0.0.1, '::1']")
        cls.agent.start()
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def test_users(self):
        """Root is not on the list and is refused, counted and named; HAProxy is served."""
        before = self.agent.metric(REFUSED)
        self.assertFalse(answered(socket.AF_UNIX, self.agent.unix))
        self.assertEqual(self.agent.metric(REFUSED), before + 1)
        # At most one line a second, so it may take another try.
        procs.eventually(lambda: answered(socket.AF_UNIX, self.agent.unix) or [
            e for e in self.agent.process.events(
                event="connection_refused", address=f"unix:{self.agent.unix}")
            if e["peer"].startswith("unix:pid=") and e["peer"].endswith(",uid=0")],
            every=0.3, what="the log names the peer")
        self.assertEqual(self.lab.get(token=self.provider.token()).status, 200)

    def test_log_is_limited(self):
        """A hundred refusals are counted one by one and make few lines."""
        before = self.agent.metric(REFUSED)
        lines = len(self.agent.process.events(event="connection_refused"))
        for _ in range(100):
            self.assertFalse(answered(socket.AF_UNIX, self.agent.unix))
        self.assertEqual(self.agent.metric(REFUSED), before + 100)
        self.assertLess(len(self.agent.process.events(event="connection_refused")), lines + 20)

    def test_addresses(self):
        """127.0.0.1 may connect, 127.0.0.2 may not."""
        self.assertTrue(answered(socket.AF_INET, self.agent.tcp, "127.0.0.1"))
        before = self.agent.metric(REFUSED)
        self.assertFalse(answered(socket.AF_INET, self.agent.tcp, "127.0.0.2"))
        self.assertEqual(self.agent.metric(REFUSED), before + 1)

    def test_reload(self):
        """A reload changes both lists; what is connected stays."""
        self.agent.configure(unix_more=", groups: [0]", tcp_more=", allow: [127.0.0.0/8]")
        try:
            self.assertIn("serves", self.agent.reload()["result"])
            self.assertTrue(answered(socket.AF_UNIX, self.agent.unix))
            self.assertTrue(answered(socket.AF_INET, self.agent.tcp, "127.0.0.2"))
        finally:
            self.agent.configure(unix_more=", users: [haproxy]",
                                 tcp_more=", allow: [127.0.0.1, '::1']")
            self.agent.reload()
        self.assertFalse(answered(socket.AF_UNIX, self.agent.unix))
        self.lab.until(200, token=self.provider.token())


class Tls(LabCase):
    """HAProxy asks over TCP with TLS and shows a certificate: as good as the unix socket."""

    @classmethod
    def make(cls):
        cls.pki = Pki(os.path.join(cls.lab.dir, "pki"))
        cls.agent = cls.lab.agent(start=False, tcp_more=cls.tls("required"))
        cls.agent.start()
        cls.lab.haproxy(cls.server(f"crt {cls.pki('haproxy.pem')}"))
        cls.lab.until(200, token=cls.provider.token())

    @classmethod
    def tls(cls, client, names="[haproxy.test]"):
        return (f", tls: {{cert: {cls.pki('agent.crt')}, key: {cls.pki('agent.key')}, "
                f"client_ca: {cls.pki('ca.pem')}, client: {client}, client_names: {names}}}")

    @classmethod
    def server(cls, more=""):
        return (f"127.0.0.1:{cls.agent.tcp[1]} ssl verify required ca-file {cls.pki('ca.pem')} "
                f"verifyhost agent.test {more}")

    def test_binds(self):
        """Requests pass, health checks too, and the identity reaches the kernel's map."""
        with web.Connection(self.lab.port) as connection:
            self.assertEqual(connection.get(token=self.provider.token("admin")).status, 200)
            self.assertEqual(self.agent.flows()[connection.local]["identity"], 200)
        procs.eventually(self.lab.agents_up, what="health checks pass")
        self.assertEqual(self.agent.metric('flow_bindings_total.*untrusted_peer'), 0)

    def test_certificates(self):
        """No certificate, a stranger's, another name, and no TLS at all: none is answered."""
        self.pki.pair("other")
        for name in None, "stranger", "other":
            with self.subTest(name):
                before = self.agent.metric('spop_closed_total.*why="tls"')
                self.assertFalse(self.answered(name))
                procs.eventually(lambda: self.agent.metric(
                    'spop_closed_total.*why="tls"') == before + 1, what="it is counted")
        self.assertFalse(answered(socket.AF_INET, self.agent.tcp))
        self.assertTrue(self.agent.process.events(event="tls_failed"))
        self.assertTrue(self.answered("haproxy"))

    def context(self, name):
        context = ssl.create_default_context(cafile=self.pki("ca.pem"))
        if name:
            context.load_cert_chain(self.pki(f"{name}.pem"))
        return context

    def answered(self, name):
        """Does the agent answer a HELLO from a peer with this certificate?"""
        with socket.create_connection(self.agent.tcp, timeout=5) as plain:
            try:
                with self.context(name).wrap_socket(plain, server_hostname="agent.test") as s:
                    s.sendall(HELLO)
                    return bool(s.recv(100))
            except OSError:
                return False

    def test_slow_handshake(self):
        """A handshake that stops is ended by the deadline, and delays nobody."""
        peers = [socket.create_connection(self.agent.tcp, timeout=10) for _ in range(20)]
        for peer in peers:
            peer.sendall(b"\x16\x03\x01\x02\x00\x01")
        self.assertEqual(self.lab.get(token=self.provider.token()).status, 200)
        for peer in peers:
            self.assertEqual(peer.recv(100), b"")
            peer.close()

    def test_new_certificate(self):
        """SIGHUP: new connections get the new certificate, open ones stay; a bad file is refused."""
        with socket.create_connection(self.agent.tcp, timeout=5) as plain, \
                self.context("haproxy").wrap_socket(plain, server_hostname="agent.test") as s:
            old = s.getpeercert(True)
            self.pki.pair("agent")
            self.agent.reload()
            self.assertNotEqual(self.certificate(), old)
            s.sendall(HELLO)
            self.assertTrue(s.recv(100))
        new = self.certificate()
        with open(self.pki("agent.crt"), "w") as f:
            f.write("no certificate\n")
        self.assertIn("refused", self.agent.reload()["result"])
        self.assertIn(self.pki("agent.crt"),
                      self.agent.process.events(event="reload_mistake")[-1]["text"])
        self.assertEqual(self.certificate(), new)
        self.pki.pair("agent")
        self.assertIn("serves", self.agent.reload()["result"])
        self.lab.until(200, token=self.provider.token())

    def certificate(self):
        with socket.create_connection(self.agent.tcp, timeout=5) as plain, \
                self.context("haproxy").wrap_socket(plain, server_hostname="agent.test") as s:
            return s.getpeercert(True)


class TlsWithoutCertificate(Tls):
    """HAProxy shows none where it need not: answers, but no map is written."""

    @classmethod
    def make(cls):
        cls.pki = Pki(os.path.join(cls.lab.dir, "pki"))
        cls.agent = cls.lab.agent(start=False, tcp_more=cls.tls("optional"))
        cls.agent.start()
        cls.lab.haproxy(cls.server())
        cls.lab.until(200, token=cls.provider.token())

    def test_binds(self):
        """200, and the map's entry stays without an identity."""
        with web.Connection(self.lab.port) as connection:
            self.assertEqual(connection.get(token=self.provider.token("admin")).status, 200)
            self.assertEqual(self.agent.flows()[connection.local]["identity"], 0)
        self.assertGreater(self.agent.metric('flow_bindings_total.*untrusted_peer'), 0)

    # What was shown with the other lab.
    test_certificates = test_slow_handshake = test_new_certificate = None


class Successor(LabCase):
    """An agent that is to replace another, and cannot or may not."""

    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)

    def fails(self, roles):
        old = self.agent.process
        self.agent.configure(roles=roles)
        self.agent.launch(replace=True)
        try:
            self.assertEqual(self.agent.process.child.wait(15), 1)
            self.assertTrue(old.alive())
            self.assertTrue(answered(socket.AF_UNIX, self.agent.unix))
        finally:
            self.agent.process = old
            self.agent.configure(roles=harness.ROLES)

    def test_fails(self):
        """One that cannot start changes nothing: the old agent goes on answering."""
        self.fails("  - {name: r, labels: [a=b], number: 1}\n")

    def test_fails_late(self):
        """Nor does one that fails after it has taken the sockets: their paths stay."""
        self.fails(harness.ROLES + "audit: {to: stdout, pseudonym_key_file: /nonexistent/key}\n")

    def test_left(self):
        """One that takes the sockets and dies before it serves leaves the old one serving."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(os.path.join(self.agent.dir, "handover.sock"))
            s.sendall(b"take 1")
            _, fds, _, _ = socket.recv_fds(s, 64, 64)
            self.assertEqual(len(fds), 4)  # unix, tcp, admin, handover
            for fd in fds:
                os.close(fd)
        self.assertTrue(answered(socket.AF_UNIX, self.agent.unix))
        self.assertEqual(self.agent.process.events(event="replaced"), [])

    def test_who(self):
        """Only root and the agent's user reach the socket."""
        found = os.stat(os.path.join(self.agent.dir, "handover.sock"))
        self.assertEqual((found.st_mode & 0o777, found.st_uid), (0o600, harness.UID))


if __name__ == "__main__":
    unittest.main()
