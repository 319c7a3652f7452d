"""Back-channel logout from a real provider (OIDC Back-Channel Logout 1.0)."""
import time
import urllib.error
import urllib.parse
import urllib.request

import procs
from harness import LabCase


class Logout(LabCase):
    """Row 40 of the attack table."""

    @classmethod
    def make(cls):
        port = procs.free_port()
        cls.uri = f"http://127.0.0.1:{port}/backchannel-logout"
        cls.agent = cls.lab.agent(bpf="off", setup=False,
                                  provider_more=", logout_audiences: [admin]",
                                  more=f'public: {{tcp: "127.0.0.1:{port}"}}')
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def logout(self, client="admin", **what):
        """The status that the provider got."""
        return self.provider.command("logout", client=client, uri=self.uri, **what)["status"]

    def post(self, token):
        """The status for a form with this logout token."""
        body = urllib.parse.urlencode({"logout_token": token}).encode()
        try:
            with urllib.request.urlopen(self.uri, body, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def logout_token(self, **claims):
        event = {"http://schemas.openid.net/event/backchannel-logout": {}}
        good = {"aud": "admin", "events": event, "jti": str(time.time()), "roles": None}
        return self.provider.sign(header={"typ": "logout+jwt"}, **{**good, **claims})

    def test_session(self):
        """A session that ended is refused from the next request on; another one is not."""
        one = self.provider.sign(sub="erin", sid="one")
        two = self.provider.sign(sub="erin", sid="two")
        self.assertEqual(self.lab.get(token=one).status, 200)
        self.assertEqual(self.logout(sub="erin", sid="one"), 200)
        self.refused(401, "revoked", token=one)
        self.assertEqual(self.lab.get(token=two).status, 200)

    def test_subject(self):
        """Without a session all that the subject had is refused; a new login is not."""
        old = self.provider.sign(sub="ruth")
        self.assertEqual(self.logout(sub="ruth"), 200)
        self.refused(401, "revoked", token=old)
        fresh = self.provider.sign(sub="ruth", iat=int(time.time()) + 2)
        self.assertEqual(self.lab.get(token=fresh).status, 200)

    def test_other_client(self):
        """A client that is not listed logs nobody out."""
        token = self.provider.sign(sub="olga")
        self.assertEqual(self.logout(client="reader", sub="olga"), 400)
        self.assertEqual(self.lab.get(token=token).status, 200)

    def test_kill_nine(self):
        """What was answered 200 is in force after kill -9."""
        token = self.provider.sign(sub="nina", sid="n")
        self.assertEqual(self.logout(sub="nina", sid="n"), 200)
        self.agent.process.kill()
        self.agent.start()
        self.lab.until(200, token=self.provider.token())
        self.refused(401, "revoked", token=token)

    def test_rules(self):
        """A logout token is good once, and only if it is one; it is no bearer token."""
        token = self.logout_token(sub="paul")
        self.refused(401, "typ_not_allowed", token=token)
        self.assertEqual(self.post(token), 200)
        self.assertEqual(self.post(token), 400)
        for claims in ({"nonce": "n"}, {"events": {}}, {"sub": None}, {"aud": "api"},
                       {"iat": int(time.time()) - 3600}):
            with self.subTest(claims=claims):
                self.assertEqual(self.post(self.logout_token(**{"sub": "paul", **claims})), 400)
