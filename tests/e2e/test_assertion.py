"""Outbound assertions: what the backend gets, checked as a backend would (RFC 7519)."""
import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

import harness
import procs
from harness import LabCase

ORACLE = os.path.join(harness.ROOT, "tests", "oracle", "jws.py")


class Assertion(LabCase):
    MORE = """\
public: {{tcp: "127.0.0.1:{port}"}}
exports: [sub]
assertion: {{issuer: "https://edge.test", key_lifetime: {lifetime}}}
assertions:
  - {{name: admin, audience: "https://admin.test", ttl: 10s, services: [be_admin]}}
  - {{name: reader, audience: "https://reader.test", algorithm: EdDSA, ttl: 10s, services: [be_reader]}}
"""
    LIFETIME = "30d"

    @classmethod
    def make(cls):
        cls.public = procs.free_port()
        cls.agent = cls.lab.agent(bpf="off", setup=False, workers=1, more=cls.MORE.format(
            port=cls.public, lifetime=cls.LIFETIME))
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def keys(self):
        url = f"http://127.0.0.1:{self.public}/.well-known/jwks.json"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def check(self, assertion, audience, keys=None):
        """The claims, when a backend with a library of its own would accept them."""
        question = {"token": assertion, "keys": json.loads(keys or self.keys()),
                    "algs": ["ES256", "EdDSA"]}
        done = subprocess.run([ORACLE], input=json.dumps(question), capture_output=True,
                              text=True, check=True, timeout=20)
        answer = json.loads(done.stdout)
        self.assertIn("payload", answer)
        claims = json.loads(answer["payload"])
        self.assertEqual((claims["iss"], claims["aud"]), ("https://edge.test", audience))
        self.assertGreater(claims["exp"], time.time())
        return claims

    def assertion(self, token):
        (value,) = self.lab.get(token=token).header("X-Identity-Assertion")
        return value


class Backends(Assertion):
    def test_both(self):
        """Each backend gets one for itself, good under the published keys and about the caller."""
        claims = self.check(self.assertion(self.provider.token()), "https://admin.test")
        self.assertEqual((claims["sub"], claims["role"]), ("admin", "admin"))
        self.assertEqual(claims["idp"], self.provider.issuer)
        self.assertLessEqual(claims["exp"] - claims["iat"], 10)
        claims = self.check(self.assertion(self.provider.token("reader")), "https://reader.test")
        self.assertEqual((claims["sub"], claims["role"]), ("reader", "reader"))

    def test_remembered(self):
        """One token, one assertion (of each worker; here is one); another token, another."""
        one, two = self.provider.token(), self.provider.token()
        self.assertEqual(self.assertion(one), self.assertion(one))
        self.assertNotEqual(self.assertion(one), self.assertion(two))

    def test_forged_header(self):
        """What a caller sends under this name does not reach the backend."""
        answer = self.lab.get(token=self.provider.token(),
                              headers=[("X-Identity-Assertion", "mine")])
        self.assertNotIn("mine", answer.header("X-Identity-Assertion"))

    def test_no_admin(self):
        """The public listener has no administrative route, identityctl has the same keys."""
        for path in "/api/v1/status", "/api/v1/revocations", "/metrics":
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"http://127.0.0.1:{self.public}{path}", timeout=5)
            self.assertEqual(caught.exception.code, 404)
        done = harness.run(harness.CTL, "assertion", "jwks", "--socket", self.agent.admin)
        self.assertEqual(json.loads(done.stdout), json.loads(self.keys()))
        self.assertNotIn('"d"', done.stdout)

    def test_restart(self):
        """Keys outlive the process."""
        before = self.keys()
        old = self.assertion(self.provider.token())
        self.agent.process.kill()
        self.agent.start()
        self.lab.until(200, token=self.provider.token())
        self.assertEqual(self.keys(), before)
        self.check(old, "https://admin.test")


class KeyRotation(Assertion):
    """Keys of ten seconds: the next is published five before it signs."""

    LIFETIME = "10s"

    def test_rotation(self):
        """Over a rotation every assertion is good under the keys that were published before it."""
        kids = set()

        def rotated():
            published = self.keys()
            assertion = self.assertion(self.provider.token())
            self.check(assertion, "https://admin.test", published)
            head = assertion.split(".")[0]
            kids.add(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"])
            return len(kids) == 2
        procs.eventually(rotated, 25, every=0.2, what="a second key signs")
