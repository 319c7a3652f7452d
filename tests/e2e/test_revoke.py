"""Revocation: from the next request on, for nobody else, whatever happens to the process."""
import base64

import harness
import procs
import web
from harness import LabCase


class Revoked(LabCase):
    """Row 13 of the attack table; promise 7. Without the kernel, which would end the connection."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def revoke(self, *arguments):
        """The id of the new revocation, which is in force when this returns."""
        done = harness.run(harness.CTL, "revoke", "add", "--socket", self.agent.admin, *arguments)
        return done.stdout.split()[2].rstrip(",")

    def remove(self, number):
        harness.run(harness.CTL, "revoke", "remove", number, "--socket", self.agent.admin)

    def test_next_request(self):
        """The next request on the same connection is refused; other subjects go on."""
        admin, reader = self.provider.token(), self.provider.token("reader")
        with web.Connection(self.lab.port) as connection:
            self.assertEqual(connection.get(token=admin).status, 200)
            number = self.revoke("--sub", "admin")
            answer = connection.get(token=admin)
        self.assertEqual(answer.status, 401)
        self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"])
        self.refused(401, "revoked", token=admin)
        self.assertEqual(self.lab.get(token=reader).status, 200)
        self.remove(number)
        self.assertEqual(self.lab.get(token=admin).status, 200)

    def test_issued_before(self):
        """--issued-before now: a token of before is refused, a new login is not."""
        old = self.provider.sign(sub="erin")
        number = self.revoke("--sub", "erin", "--issued-before", "now")
        self.refused(401, "revoked", token=old)
        now = int(procs.time.time())
        fresh = self.provider.sign(sub="erin", iat=now + 2)
        self.assertEqual(self.lab.get(token=fresh).status, 200)
        self.remove(number)

    def test_combination(self):
        """All that a revocation names must be the token's."""
        one = self.provider.sign(sub="dave", sid="one", jti="1")
        two = self.provider.sign(sub="dave", sid="two", jti="2")
        number = self.revoke("--sub", "dave", "--sid", "one")
        self.refused(401, "revoked", token=one)
        self.assertEqual(self.lab.get(token=two).status, 200)
        self.remove(number)

    def test_malleable(self):
        """An ECDSA signature's other form is the same token: revoked by its claims (row 13)."""
        token = self.provider.sign(alg="ES256", sub="carol", jti="m")
        twin = other_form(token)
        self.assertNotEqual(token, twin)
        self.assertEqual(self.lab.get(token=twin).status, 200)
        number = self.revoke("--jti", "m")
        self.refused(401, "revoked", token=token)
        self.refused(401, "revoked", token=twin)
        self.remove(number)

    def test_kill_nine(self):
        """What was acknowledged is in force after kill -9 and a restart."""
        token = self.provider.sign(sub="frank")
        self.assertEqual(self.lab.get(token=token).status, 200)
        number = self.revoke("--sub", "frank")
        self.agent.process.kill()
        self.agent.start()
        self.lab.until(200, token=self.provider.token())
        self.refused(401, "revoked", token=token)
        self.remove(number)

    def test_list(self):
        """The list shows it, the metrics count it."""
        number = self.revoke("--client", "app", "--ttl", "1h")
        done = harness.run(harness.CTL, "revoke", "list", "--socket", self.agent.admin)
        self.assertIn(f'{number} client="app"', done.stdout)
        self.assertEqual(self.agent.metric("^identityd_revocations$"), 1)
        self.remove(number)
        done = harness.run(harness.CTL, "revoke", "list", "--socket", self.agent.admin)
        self.assertTrue(done.stdout.startswith("0 in force"), done.stdout)


# The order of the group of P-256.
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def other_form(token):
    """The same token with n - s for s: another text, as good a signature."""
    head, _, text = token.rpartition(".")
    raw = base64.urlsafe_b64decode(text + "==")
    s = ORDER - int.from_bytes(raw[32:], "big")
    raw = raw[:32] + s.to_bytes(32, "big")
    return head + "." + base64.urlsafe_b64encode(raw).decode().rstrip("=")
