"""What a caller gets: every kind of token, and every trick that HAProxy must stop."""
import time
import unittest

import tokens
import web
from harness import LabCase
from web import Connection


class Requests(LabCase):
    """One agent over its unix socket."""

    def test_no_token(self):
        """A request without a credential is 401 with a bare challenge (RFC 6750 3.1)."""
        answer = self.refused(401, "no_token")
        self.assertRegex(answer.headers["WWW-Authenticate"], r'^Bearer realm="[^"]+"$')

    def test_two_roles(self):
        """Two roles reach two backends, which see who calls."""
        for client, number in ("admin", "200"), ("reader", None):
            with self.subTest(client):
                answer = self.lab.get(token=self.provider.token(client))
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.backend(), client)
                self.assertEqual(answer.header("X-Identity-Role"), [client])
                self.assertEqual(answer.header("X-Identity-Subject"), [client])
                self.assertEqual(answer.header("X-Identity-Issuer"), [self.provider.issuer])
                self.assertIn(f"k8s:role={client};", answer.header("X-Identity-Labels")[0])
                if number:
                    self.assertEqual(answer.header("X-Identity-Id"), [number])
                else:
                    self.assertGreaterEqual(int(answer.header("X-Identity-Id")[0]), 256)

    def test_every_algorithm(self):
        """Each algorithm on the provider's list is accepted."""
        for alg in "RS256", "PS256", "ES256", "EdDSA":
            with self.subTest(alg):
                answer = self.lab.get(token=self.provider.token("admin", alg))
                self.assertEqual(answer.status, 200)

    def test_no_role(self):
        """A valid token that no role knows is 403."""
        self.refused(403, "no_role", token=self.provider.token("guest"))

    def test_expired(self):
        """A token past its exp is 401, the agent logs why, and the lab finds no token in it (row 38)."""
        stale = int(time.time()) - 3600
        answer = self.refused(401, "expired",
                              token=self.provider.sign(iat=stale, exp=stale + 60))
        self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"])
        self.agent.process.wait_event(event="decision", reason="expired")

    def test_not_yet_valid(self):
        """nbf in the future is 401."""
        later = int(time.time()) + 3600
        self.refused(401, "not_yet_valid", token=self.provider.sign(nbf=later, exp=later + 60))

    def test_wrong_signature(self):
        """One flipped bit in the signature is 401."""
        for alg in "RS256", "PS256", "ES256", "EdDSA":
            with self.subTest(alg):
                self.refused(401, "signature_invalid",
                             token=tokens.tampered(self.provider.token("admin", alg)))

    def test_wrong_audience(self):
        """A token for another audience is 401."""
        self.refused(401, "audience_mismatch",
                     token=self.provider.token("admin", audience="other"))

    def test_wrong_issuer(self):
        """A good signature does not help when iss is somebody else."""
        self.refused(401, "issuer_mismatch",
                     token=self.provider.sign(iss="http://127.0.0.1:1/other"))

    def test_malformed(self):
        """What is not a token at all is 401."""
        for text in "x", "a.b", "a.b.c.d", "e30.e30.e30", "\u00e9".encode().decode("latin1"):
            with self.subTest(text):
                self.refused(401, token=text)

    def test_trailing_words(self):
        """A good token with something behind it is not a good token."""
        self.refused(401, token=self.provider.token() + " x")

    def test_other_scheme(self):
        """Another scheme is 401; a token without a scheme is in no log (the lab checks)."""
        for value in "Basic YTpi", "Basic", "x", "Bearer\tx":
            self.refused(401, "scheme_unsupported", headers=[("Authorization", value)])
        self.refused(401, "token_malformed", headers=[("Authorization", "Bearer")])
        self.refused(401, headers=[("Authorization", self.provider.token())])
        self.refused(401, headers=[("Authorization", f"Bearerx {self.provider.token()}")])

    def test_scheme_in_any_case(self):
        """The scheme's case does not matter (RFC 9110 11.1)."""
        headers = [("Authorization", f"bEaReR {self.provider.token()}")]
        self.assertEqual(self.lab.get(headers=headers).status, 200)

    def no_tunnel(self, token, *protocols):
        """400; or HAProxy itself takes "Upgrade: h2c" away (3.0 and later): no backend sees it."""
        answer = self.lab.get(token=token, headers=[
            ("Connection", "Upgrade"), *(("Upgrade", protocol) for protocol in protocols)])
        if answer.status != 400:
            self.assertEqual(answer.status, 200)
            self.assertNotIn("h2c", "".join(answer.header("Upgrade")))

    def test_tunnels(self):
        """Only a websocket may open a tunnel; what would carry requests past HAProxy may not."""
        token = self.provider.token()
        for protocols in (["h2c"], ["HTTP/2.0"], ["websocket, h2c"], ["TLS/1.0"],
                          ["websocket", "h2c"], ["h2c", "websocket"]):
            with self.subTest(protocols):
                self.no_tunnel(token, *protocols)
        answer = self.lab.get(token=token, headers=[
            ("Connection", "Upgrade"), ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
        self.assertEqual(answer.status, 200)
        with web.Connection(self.lab.port) as connection:
            connection.http.request("CONNECT", "127.0.0.1:80",
                                    headers={"Authorization": f"Bearer {token}"})
            self.assertEqual(connection.http.getresponse().status, 400)

    def test_hop_by_hop(self):
        """Nobody makes the next proxy drop, or the application add, what HAProxy says."""
        for header in "Connection", "Trailer":
            for name in "X-Identity-Id", "close, x_identity_role":
                with self.subTest(header, name=name):
                    self.refused(400, token=self.provider.token(), headers=[(header, name)])

    def test_oversize(self):
        """A credential that could not fit a frame is 400, whatever it is."""
        self.refused(400, token="a" * 8200)

    def test_duplicate(self):
        """Two credentials have no right answer: 400, in two headers or in one (row 37)."""
        good = f"Bearer {self.provider.token()}"
        self.refused(400, headers=[("Authorization", good), ("authorization", good)])
        self.refused(400, headers=[("Authorization", f"{good}, {good}")])

    def test_paths(self):
        """Paths that two readers could read differently are 400."""
        token = self.provider.token()
        for path in "//x", "/a/../b", "/a/%2e%2E/b", "/a%2fb", "/a/.", "/..;/x", "/a%5Cb", "/a\\b":
            with self.subTest(path):
                self.refused(400, path=path, token=token)
        self.assertEqual(self.lab.get("/.well-known/a..b/c.?d=//..", token).status, 200)

    def test_inbound_headers(self):
        """What a caller says about its own identity never reaches a backend."""
        lies = [("X-Identity-Id", "1"), ("x-identity-role", "root"), ("X_Identity_Id", "1"),
                ("X-Identity-Anything", "1"), ("X-Ident-Id", "1"), ("X-Request-Id", "mine")]
        answer = self.lab.get(token=self.provider.token(), headers=lies)
        self.assertEqual(answer.header("X-Identity-Id"), ["200"])
        self.assertEqual(answer.header("X-Identity-Role"), ["admin"])
        self.assertNotIn("mine", answer.header("X-Request-Id"))
        self.assertEqual(len(answer.header("X-Request-Id")), 1)
        for name in "X_Identity_Id", "X-Identity-Anything", "X-Ident-Id":
            self.assertEqual(answer.header(name), [])

    def test_each_request_alone(self):
        """On one connection, a good answer never carries over to the next request."""
        with Connection(self.lab.port) as connection:
            for _ in range(3):
                good = connection.get(token=self.provider.token("admin"))
                self.assertEqual((good.status, good.backend()), (200, "admin"))
                self.assertEqual(connection.get().status, 401)
                reader = connection.get(token=self.provider.token("reader"))
                self.assertEqual((reader.status, reader.backend()), (200, "reader"))
                self.assertNotEqual(reader.header("X-Identity-Id"), ["200"])


class OverTcp(LabCase):
    """The same over TCP: verdicts, but no map is written for a peer nobody vouches for."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent()
        cls.lab.haproxy("%s:%d" % cls.agent.tcp)
        cls.lab.until(200, token=cls.provider.token())

    def test_verdicts(self):
        """Allow, deny and route are the same as over the unix socket."""
        self.assertEqual(self.lab.get(token=self.provider.token("admin")).backend(), "admin")
        self.assertEqual(self.lab.get(token=self.provider.token("reader")).backend(), "reader")
        self.refused(401, "no_token")
        self.refused(401, "signature_invalid", token=tokens.tampered(self.provider.token()))

    def test_no_map_write(self):
        """The kernel's entry for the connection stays without an identity."""
        with Connection(self.lab.port) as connection:
            self.assertEqual(connection.get(token=self.provider.token()).status, 200)
            self.assertEqual(self.agent.flows()[connection.local]["identity"], 0)


if __name__ == "__main__":
    unittest.main()
