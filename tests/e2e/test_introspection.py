"""Opaque tokens: the real provider is asked about them (RFC 7662)."""
import concurrent.futures
import os
import time
import unittest
import urllib.parse
import urllib.request

import procs
import tokens
from harness import LabCase

SECRET = 'a secret: +%&="/'  # of the provider's clients "basic" and "post"


class Introspection(LabCase):
    auth = "basic"

    @classmethod
    def make(cls):
        cls.provider = tokens.Provider(os.path.join(cls.lab.dir, "idp.log"))
        cls.addClassCleanup(cls.provider.close)
        secret = os.path.join(cls.lab.dir, "client.secret")
        with open(secret, "w") as f:
            f.write(SECRET + "\n")
        cls.agent = cls.lab.agent(
            issuer=cls.provider.issuer, bpf="off", setup=False,
            provider_more=f", introspection: {{url: '{cls.provider.issuer}/token/introspection', "
                     f"auth: {cls.auth}, client_id: {cls.auth}, client_secret_file: {secret}, "
                     "ttl: 2s, negative_ttl: 500ms}")
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def tearDown(self):
        self.provider.command("mode", mode="ok")

    def asked(self):
        return self.provider.command("state")["seen"]["introspection"]

    def opaque(self, **options):
        token = self.provider.token(alg="OPAQUE", **options)
        self.assertNotIn(".", token)
        return token

    def test_active(self):
        """An opaque token has its owner's role; many requests at once cost one question."""
        token = self.opaque()
        before = self.asked()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: self.lab.get(token=token), range(20)))
        self.assertEqual({a.status for a in answers}, {200})
        self.assertEqual({a.backend() for a in answers}, {"admin"})
        self.assertEqual(self.asked() - before, 1)
        reader = self.lab.get(token=self.opaque(client="reader"))
        self.assertEqual((reader.status, reader.backend()), (200, "reader"))
        self.assertEqual(self.lab.get(token=self.opaque(client="guest")).status, 403)

    def test_not_active(self):
        """A made-up token is refused, and asked about once; one for others is not for us."""
        before = self.asked()
        for _ in range(5):
            self.refused(401, "token_inactive", token="made-up-by-somebody")
        self.assertLessEqual(self.asked() - before, 2)
        self.refused(401, "audience_mismatch", token=self.opaque(audience="others"))

    def test_ended(self):
        """A token that its provider ends is refused as soon as the last word is too old."""
        token = self.opaque()
        self.assertEqual(self.lab.get(token=token).status, 200)
        self.end(token)
        self.lab.until(401, timeout=5, token=token)
        self.assertTrue(self.agent.process.events(event="decision", reason="token_inactive"))

    def end(self, token):
        """RFC 7009, by the client that it was made for."""
        form = {"token": token, "client_id": "admin", "client_secret": "secret"}
        urllib.request.urlopen(f"{self.provider.issuer}/token/revocation",
                               urllib.parse.urlencode(form).encode(), timeout=5).close()

    def test_provider_breaks(self):
        """A provider that hangs or fails: 503 for what it was not asked about, within the deadline."""
        known, signed = self.opaque(), self.provider.token()
        self.assertEqual(self.lab.get(token=known).status, 200)
        for mode in "hang", "error", "garbage":
            with self.subTest(mode):
                token = self.opaque()
                self.provider.command("mode", mode=mode)
                start = time.monotonic()
                self.refused(503, "introspection_unavailable", token=token)
                self.assertLess(time.monotonic() - start, 1)
                # Whoever is signed needs nobody's word.
                self.assertEqual(self.lab.get(token=signed).status, 200)
                self.provider.command("mode", mode="ok")
                self.lab.until(200, timeout=8, token=token)
        self.assertTrue(self.agent.process.events(event="introspection_failed"))
        self.assertGreater(self.agent.metric('introspections_total.*outcome="failed"'), 0)

    def test_where_it_goes(self):
        """What cannot be a token of the provider's is not shown to it."""
        before = self.asked()
        self.refused(401, "token_malformed", token="a.b.c")
        self.refused(401, token="a.b.c.d.e")
        self.assertEqual(self.asked(), before)


class IntrospectionByPost(Introspection):
    auth = "post"


if __name__ == "__main__":
    tokens.npm_ready()
    unittest.main()
