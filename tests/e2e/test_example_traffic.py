"""
The files of examples/ that have no test file of their own, with real traffic: HAProxy
as each of them says, identityd, an identity provider, an application.
"""
import json
import os
import socket
import socketserver
import ssl
import threading

import harness
import http2
import procs
import web
from harness import LabCase
from test_identities import Authority

ROLES = """\
  - {name: admin, provider: corp, when: [{claim: [roles], any: [admin]}], labels: ["k8s:role=admin"]}
  - {name: reader, provider: corp, when: [{claim: scope, any: [read]}], labels: ["k8s:role=reader"]}
  - {name: app, provider: mesh, when: [{claim: sub, prefix: "spiffe://example.org/ns/app/"}], \
labels: ["k8s:role=app"]}
"""
ORIGIN = "https://app.example.com"
LUA = os.path.join(harness.ROOT, "lua", "identity.lua")


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.count += 1
        while data := self.request.recv(4096):
            self.request.sendall(data)


class Traffic(LabCase):
    # The agent does here what other tests make it do: a sanitizer would find nothing new.
    asks_identityd = False

    @classmethod
    def make(cls):
        cls.mesh = Authority(cls.lab.dir, "mesh")
        cls.agent = cls.lab.agent(
            bpf="off", setup=False, roles=ROLES,
            provider_more="}\n  - {name: mesh, trust_domain: example.org, "
                          f"trust_bundle: {cls.mesh.path}")
        cls.admin = cls.provider.sign(sub="root", roles=["admin"])
        cls.reader = cls.provider.sign(sub="alice", roles=[], scope="read")
        cls.nobody = cls.provider.sign(sub="mallory", roles=[])
        # The keys are there before the first test asks.
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(403, token=cls.nobody)
        cls.lab.proxy.kill()

    def proxy(self, config, env=None, **how):
        self.lab.haproxy("unix@" + self.agent.unix, config=config, env={
            "IDENTITYD_LUA": LUA, **(env or {})}, **how)
        self.addCleanup(self.lab.proxy.kill)
        self.applications = self.lab.backends[-2:]

    def logged(self, text):
        procs.eventually(lambda: text in self.lab.proxy.text(), what=f"HAProxy logs {text}")

    def upgrade(self, token=None, headers=()):
        """(status, does it echo) of one attempt."""
        with web.Connection(self.lab.port) as connection:
            status = connection.upgrade(token, headers=headers)
            return status, status == 101 and connection.echo()

    def test_websocket(self):
        """examples/haproxy-websocket.cfg: by header or, from the own site, by cookie."""
        self.proxy("haproxy-websocket.cfg")
        cookie = ("Cookie", f"a=b; __Host-token={self.reader}")
        self.assertEqual(self.upgrade(self.reader), (101, True))
        self.logged("id=")
        self.assertEqual(self.upgrade(headers=[cookie, ("Origin", ORIGIN)]), (101, True))
        seen = self.applications[1].server.upgraded
        self.assertEqual(seen["X-Identity-Subject"], "alice")
        self.assertIsNone(seen["Authorization"])
        self.assertIsNone(seen["Cookie"])
        # Not from elsewhere, not without the site's own Origin, not from another site.
        for status, token, headers in (
                (401, None, []), (401, None, [cookie]), (401, None, [("Origin", ORIGIN)]),
                (403, None, [cookie, ("Origin", "https://evil.example")]),
                (403, self.reader, [("Origin", "null")]), (403, self.nobody, []),
                (400, None, [cookie, ("Cookie", f"__Host-token={self.admin}"),
                             ("Origin", ORIGIN)])):
            with self.subTest(status=status, headers=[h[0] for h in headers]):
                self.assertEqual(self.upgrade(token, headers), (status, False))
        self.assertEqual(self.lab.get(token=self.reader).status, 400)

    def test_http2(self):
        """RFC 8441: a websocket over HTTP/2 is the same to HAProxy's rules."""
        self.proxy("haproxy-websocket.cfg", bind="proto h2")
        self.assertEqual(http2.websocket(self.lab.port, self.reader), (200, b"ping"))
        self.assertEqual(http2.websocket(self.lab.port), (401, b""))

    def test_grpc(self):
        """examples/haproxy-grpc.cfg: messages and trailers pass, refusals are gRPC's own."""
        server = http2.Server()
        self.addCleanup(server.close)
        self.proxy("haproxy-grpc.cfg", env={"IDENTITYD_BACKEND_GRPC": f"127.0.0.1:{server.port}"})
        answer = http2.call(self.lab.port, token=self.reader, sent=(b"one", b"two" * 9000))
        self.assertTrue(answer.messages == [b"one", b"two" * 9000], answer.data[:200])
        self.assertEqual((answer.headers[":status"], answer.trailers),
                         ("200", {"grpc-status": "0", "x-trailer": "seen"}))
        self.assertEqual(server.calls[0]["x-identity-subject"], "alice")
        self.assertNotIn("authorization", server.calls[0])
        for wanted, message, how in (
                ("16", "no_token", {}), ("7", "no_role", {"token": self.nobody}),
                ("12", "Not Found", {"token": self.reader, "method": "/x/../y"}),
                ("13", "Bad Request", {"metadata": [("authorization", "Bearer a, Bearer b")]}),
                ("13", "Bad Request", {"metadata": [("authorization", "Bearer a"),
                                                    ("authorization", "Bearer b")]})):
            with self.subTest(message):
                answer = http2.call(self.lab.port, **how)
                self.assertTrue(answer.trailers_only)
                self.assertEqual((answer.grpc_status, answer.headers["grpc-message"]),
                                 (wanted, message))
                self.assertEqual(answer.headers["content-type"], "application/grpc")
                self.assertEqual("www-authenticate" in answer.headers, wanted in "16 7")
        self.assertEqual(len(server.calls), 1)
        self.logged("reason=no_role")

    def test_sticky(self):
        """examples/haproxy-sticky.cfg: a caller keeps its server, and has its share."""
        one, two = (web.Backend(name, procs.free_port()) for name in ("one", "two"))
        self.lab.backends += [one, two]
        self.proxy("haproxy-sticky.cfg", env={"IDENTITYD_BACKEND_ONE": f"127.0.0.1:{one.port}",
                                              "IDENTITYD_BACKEND_TWO": f"127.0.0.1:{two.port}"})
        tokens = {sub: self.provider.sign(sub=sub, roles=[], scope="read")
                  for sub in ("alice", "bob", "carol", "dave")}
        seen = {sub: {self.lab.get(token=token).backend() for _ in range(3)}
                for sub, token in tokens.items()}
        self.assertEqual({len(s) for s in seen.values()}, {1}, seen)
        self.assertEqual(set().union(*seen.values()), {"one", "two"})
        # Another token and another address of the same caller.
        again = self.provider.sign(sub="bob", roles=[], scope="read", jti="other")
        self.assertEqual({self.lab.get(token=again).backend()}, seen["bob"])
        with web.Connection(self.lab.port) as connection:
            statuses = [connection.get(token=tokens["dave"]).status for _ in range(110)]
        self.assertEqual(statuses[:90] + statuses[-1:], [200] * 90 + [429])
        self.assertEqual(self.lab.get(token=tokens["carol"]).status, 200)
        self.refused(401)
        self.refused(403, token=self.nobody)

    def talk(self, cert=None):
        """What a connection with this certificate gets back for "ping"; None: nothing."""
        context = ssl.create_default_context(cafile=self.mesh.path)
        if cert:
            context.load_cert_chain(cert)
        try:
            with socket.create_connection(("127.0.0.1", self.lab.port), timeout=10) as s, \
                    context.wrap_socket(s, server_hostname="127.0.0.1") as tls:
                tls.sendall(b"ping")
                return tls.recv(100) or None
        except (ssl.SSLError, ConnectionError):
            return None

    def test_tcp(self):
        """examples/haproxy-tcp.cfg: a certificate's identity opens a connection, once."""
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo)
        server.daemon_threads, server.count = True, 0
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.proxy("haproxy-tcp.cfg", spoe="spoe-identity-tcp.cfg", env={
            "IDENTITYD_CERT": self.mesh.issue("edge", "IP:127.0.0.1"),
            "IDENTITYD_CLIENT_CA": self.mesh.path,
            "IDENTITYD_BACKEND_APP": f"127.0.0.1:{server.server_address[1]}"})
        app = self.mesh.issue("app", "URI:spiffe://example.org/ns/app/one")
        other = self.mesh.issue("other", "URI:spiffe://example.org/ns/other/one")
        stranger = Authority(self.lab.dir, "elsewhere").issue(
            "stranger", "URI:spiffe://example.org/ns/app/one")
        self.assertEqual(self.talk(app), b"ping")
        self.logged("verdict=allow status=200 reason=ok")
        for cert in other, stranger, None:
            self.assertIsNone(self.talk(cert))
        self.logged("verdict=deny status=403 reason=no_role")
        self.assertEqual(server.count, 1)

    BROWSER = [("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]

    def test_lua(self):
        """examples/haproxy-lua.cfg: an answer in the caller's own form, and labels in rules."""
        self.proxy("haproxy-lua.cfg")
        answer = self.refused(401, "no_token")
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        problem = json.loads(answer.body)
        self.assertEqual((problem["status"], problem["reason"]), (401, "no_token"))
        self.assertEqual(problem["request_id"], answer.headers["X-Request-Id"])
        self.logged("reqid=" + problem["request_id"])
        answer = self.refused(403, "no_role", token=self.nobody, headers=self.BROWSER)
        self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertIn(b"<h1>Forbidden</h1>", answer.body)
        answer = self.refused(200, "no_token", headers=[("Content-Type", "application/grpc")])
        self.assertEqual((answer.headers["grpc-status"], answer.body), ("16", b""))
        answer = self.refused(400, headers=[("Authorization", "a"), ("Authorization", "b")])
        self.assertEqual(json.loads(answer.body)["title"], "Bad Request")
        for accept in "text/html;q=" + "9" * 300, '"><script>,' * 80, "*/*," * 2000, ";", "\x7f":
            answer = self.refused(403, token=self.nobody, headers=[("Accept", accept)])
            self.assertNotIn(b"<script>", answer.body)
        # A HEAD has the same headers and no body, on a connection that goes on.
        with web.Connection(self.lab.port) as connection:
            for _ in range(2):
                connection.http.request("HEAD", "/")
                answer = web.Answer(connection.http.getresponse())
                self.assertEqual((answer.status, answer.body), (401, b""))
        # Labels.
        answer = self.lab.get("/x", self.reader)
        self.assertEqual((answer.status, answer.backend()), (200, "reader"))
        labels = json.loads(answer.header("X-Identity-Labels")[0])
        self.assertEqual(labels["k8s:role"], "reader")
        self.assertIn("k8s:io.kubernetes.pod.namespace", labels)
        for path in ("/admin/x", "/admin", "/Admin/x", "/%61dmin/x", "/%41DMI%4e", "/admin;a/x",
                     "/;a/admin/x"):
            self.refused(403, path=path, token=self.reader)
            self.assertEqual(self.lab.get(path, self.admin).status, 200)
        for token in self.reader, self.admin:
            self.refused(400, path="/%61dmin/%zz", token=token)
        self.assertIn(self.lab.get("/admin%00", self.reader).status, (400, 403))
        self.assertEqual(self.lab.get("/x/admin", self.reader).status, 200)

    def test_broken(self):
        """When Lua fails, HAProxy's own rules refuse all the same."""
        broken = os.path.join(self.lab.dir, "broken.lua")
        with open(LUA) as f:
            text = f.read()
        with open(broken, "w") as f:
            f.write(text.replace("function M.has_label(labels, label)",
                                 "function M.has_label(labels, label) error('broken')")
                    .replace("function M.answer(request)",
                             "function M.answer(request) error('broken')"))
        self.assertNotEqual(text.count("broken"), 2)
        self.proxy("haproxy-lua.cfg", env={"IDENTITYD_LUA": broken})
        self.refused(503)
        self.refused(503, token=self.nobody)
        self.refused(400, headers=[("Authorization", "a"), ("Authorization", "b")])
        self.refused(403, path="/admin/x", token=self.admin)
        self.logged("broken")
        self.assertNotIn("be_nowhere", self.lab.proxy.text())
        self.assertEqual(self.lab.get(token=self.reader).status, 200)
