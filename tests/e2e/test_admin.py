"""The admin interface: what it tells, what it does, and whom it turns away."""
import http.client
import json
import os
import socket
import ssl

import pki
import procs
from harness import LabCase

TOKEN = "a-word-of-many-letters"
READ_TOKEN = "good-for-metrics-alone"


class Remote(LabCase):
    """By TCP, in the clear on loopback with a token, and with TLS and certificates."""
    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.pki = pki.Pki(os.path.join(cls.lab.dir, "pki"))
        cls.token_file = os.path.join(cls.lab.dir, "token")
        with open(cls.token_file, "w") as f:
            f.write(TOKEN + "\n")
        with open(cls.token_file + ".read", "w") as f:
            f.write(READ_TOKEN + "\n")
        cls.plain, cls.secure = procs.free_port(), procs.free_port()
        cls.agent = cls.lab.agent(
            bpf="off", setup=False, admin_more=f", tcp: '127.0.0.1:{cls.plain}', "
            f"token_file: {cls.token_file}, read_token_file: {cls.token_file}.read, "
            "hosts: [metrics.example]")
        cls.tls = cls.lab.agent(
            "tls", bpf="off", setup=False, admin_more=f", tcp: '127.0.0.1:{cls.secure}', "
            f"tls_cert: {cls.pki('agent.pem')}, tls_key: {cls.pki('agent.key')}, "
            f"client_ca: {cls.pki('ca.pem')}")
        for agent in cls.agent, cls.tls:
            procs.eventually(lambda a=agent: a.status()["providers"][0]["keys"],
                             timeout=10, what="it has keys")

    def ask(self, method="GET", path="/readyz", body=None, token=TOKEN, **headers):
        """The status, and the text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=10)
        if token:
            headers["Authorization"] = "Bearer " + token
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def test_token(self):
        """Only the token lets in, and to everything."""
        self.assertEqual(self.ask()[0], 200)
        self.assertIn("identityd_build_info", self.ask(path="/metrics")[1])
        for token in None, TOKEN[:-1], TOKEN + "x":
            self.assertEqual(self.ask(token=token)[0], 401)
        self.assertEqual(self.ask(token=None, path="/nowhere")[0], 401)

    def test_reading(self):
        """The other token reads what Prometheus and probes read, and no more."""
        for path in "/metrics", "/healthz", "/readyz":
            self.assertEqual(self.ask(path=path, token=READ_TOKEN)[0], 200)
            self.assertEqual(self.ask("POST", path, "{}", token=READ_TOKEN,
                                      Content_Type="application/json")[0], 401)
        for path in "/api/v1/status", "/api/v1/decisions", "/nowhere", "/metrics/":
            self.assertEqual(self.ask(path=path, token=READ_TOKEN)[0], 401)
        for path in "drain", "reload", "observe", "revocations":
            self.assertEqual(self.ask("POST", "/api/v1/" + path, "{}", token=READ_TOKEN,
                                      Content_Type="application/json")[0], 401)

    def test_renewed(self):
        """A reload reads the token again; one that is no token leaves the old one, and is said."""
        def put(path, text):
            with open(path, "w") as f:
                f.write(text)
        self.addCleanup(lambda: (put(self.token_file, TOKEN), self.agent.reload()))
        put(self.token_file, TOKEN[::-1])
        self.agent.reload()
        self.assertEqual((self.ask()[0], self.ask(token=TOKEN[::-1])[0]), (401, 200))
        put(self.token_file, "short")
        self.agent.reload()
        self.assertEqual(self.ask(token=TOKEN[::-1])[0], 200)
        self.assertEqual(self.ask(token="short")[0], 401)
        put(self.token_file, READ_TOKEN)  # would make the reader an administrator
        self.agent.reload()
        self.assertEqual(self.ask(path="/api/v1/status", token=READ_TOKEN)[0], 401)
        said = self.agent.process.events(event="admin_files")
        self.assertEqual([s["result"] for s in said],
                         [f"{self.token_file}: a token has at least 16 characters",
                          f"{self.token_file}.read: the same word as in token_file"])
        self.tls.reload()
        self.assertEqual(self.tls.process.events(event="admin_files"), [])
        with open(self.pki("agent.pem"), "a") as f:
            f.write("\n")
        self.tls.reload()
        self.assertEqual([s["result"] for s in self.tls.process.events(event="admin_files")],
                         [self.pki("agent.pem") + ": changed; a restart is needed to use it"])

    def test_rebinding(self):
        """A name that somebody else made point to us is not ours."""
        for host in "evil.example", f"evil.example:{self.plain}", "127.0.0.1.evil.example", "":
            self.assertEqual(self.ask(Host=host)[0], 421)
        for host in "localhost", "metrics.example:80", f"127.0.0.1:{self.plain}":
            self.assertEqual(self.ask(Host=host)[0], 200)

    def test_forgery(self):
        """A page in a browser that has the token asks in vain, with a form, too."""
        self.assertEqual(self.ask(Origin="https://evil.example")[0], 403)
        self.assertEqual(self.ask(Sec_Fetch_Site="cross-site")[0], 403)
        order = ("POST", "/api/v1/revocations", json.dumps({"sub": "s"}))
        for kind in "text/plain", "application/x-www-form-urlencoded", "application/jsonp":
            self.assertEqual(self.ask(*order, Content_Type=kind)[0], 415)
        self.assertEqual(self.ask(*order)[0], 415)
        self.assertEqual(self.ask(*order, Content_Type="application/json")[0], 201)

    def test_too_large(self):
        """A body, or a head, that is too large is refused before it is read."""
        self.assertEqual(self.ask("POST", "/api/v1/revocations", "x" * 100_000,
                                  Content_Type="application/json")[0], 413)
        self.assertIn(self.ask(X_Long="x" * 100_000)[0], (413, 431))
        self.assertEqual(self.ask()[0], 200)

    def test_slow(self):
        """Whoever stops in the middle is let go, and keeps nobody else waiting."""
        slow = [socket.create_connection(("127.0.0.1", self.plain)) for _ in range(8)]
        for s in slow:
            s.sendall(b"GET /rea")
        self.assertEqual(self.ask()[0], 200)
        for s in slow:
            s.settimeout(60)
            self.assertEqual(s.recv(100), b"")  # closed, without an answer
            s.close()

    def secure_ask(self, pair=None):
        context = ssl.create_default_context(cafile=self.pki("ca.pem"))
        context.check_hostname = False
        if pair:
            context.load_cert_chain(self.pki(f"{pair}.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.secure, timeout=10,
                                                 context=context)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        finally:
            connection.close()

    def test_certificate(self):
        """A certificate of the CA lets in; none, or another's, does not."""
        self.assertEqual(self.secure_ask("haproxy"), 200)
        self.assertEqual(self.secure_ask(), 401)
        self.assertEqual(self.secure_ask("stranger"), 401)
