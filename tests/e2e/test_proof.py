"""Proof of possession: DPoP tokens of a real provider, through a real HAProxy (RFC 9449)."""
import harness
from harness import LabCase


class Dpop(LabCase):
    """Rows 33 and 37 of the attack table."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False, provider_more=", dpop_max_age: 30s")
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())
        cls.url = f"http://127.0.0.1:{cls.lab.port}/x"

    def ask(self, token, proof, scheme="DPoP"):
        headers = [("Authorization", f"{scheme} {token}")]
        headers += [("DPoP", p) for p in ([proof] if isinstance(proof, str) else proof or [])]
        return {"path": "/x?q=1", "headers": headers}

    def test_bound(self):
        """A bound token with a proof of its key for this very request is good, once."""
        token = self.provider.bound_token()
        proof = self.provider.proof(self.url, token)
        self.assertEqual(self.lab.get(**self.ask(token, proof)).status, 200)
        self.refused(401, "dpop_replayed", **self.ask(token, proof))
        again = self.provider.proof(self.url, token)
        self.assertEqual(self.lab.get(**self.ask(token, again)).status, 200)

    def test_stolen(self):
        """A bound token is worth nothing without the key, however it is presented."""
        token = self.provider.bound_token()
        thief = self.provider.proof(self.url, token, key="thief")
        self.refused(401, "dpop_as_bearer", **self.ask(token, None, "Bearer"))
        self.refused(401, "dpop_as_bearer", **self.ask(token, thief, "Bearer"))
        self.refused(401, "dpop_missing", **self.ask(token, None))
        self.refused(401, "dpop_invalid", **self.ask(token, thief))
        other = self.provider.bound_token(client="reader")
        self.refused(401, "dpop_invalid", **self.ask(
            token, self.provider.proof(self.url, other)))

    def test_other_request(self):
        """A proof for another method, address or time is none."""
        token = self.provider.bound_token()
        for claims in ({"htm": "POST"}, {"htu": self.url + "y"},
                       {"htu": self.url.replace("http:", "https:")}, {"iat": 1}):
            with self.subTest(claims=claims):
                proof = self.provider.proof(self.url, token, **claims)
                answer = self.refused(401, "dpop_invalid", **self.ask(token, proof))
                self.assertIn("invalid_dpop_proof", answer.headers["WWW-Authenticate"])

    def test_two_proofs(self):
        """Two DPoP headers have no right answer (row 37)."""
        token = self.provider.bound_token()
        proofs = [self.provider.proof(self.url, token) for _ in range(2)]
        self.refused(400, **self.ask(token, proofs))

    def test_unbound(self):
        """A token that is not bound does not become so by the scheme."""
        token = self.provider.token()
        proof = self.provider.proof(self.url, token)
        self.refused(401, "dpop_unbound", **self.ask(token, proof))


class DpopNonce(LabCase):
    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False,
                                  provider_more=", dpop: required, dpop_nonce: true")
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.url = f"http://127.0.0.1:{cls.lab.port}/x"
        cls.lab.until(401, token=cls.provider.token())

    ask = Dpop.ask

    def test_nonce(self):
        """Asked for a nonce, the client takes it from the answer, and gets a next one with 200."""
        token = self.provider.bound_token()
        answer = self.refused(401, "dpop_nonce", **self.ask(
            token, self.provider.proof(self.url, token)))
        self.assertIn('error="use_dpop_nonce"', answer.headers["WWW-Authenticate"])
        nonce = answer.headers["DPoP-Nonce"]
        answer = self.lab.get(**self.ask(token, self.provider.proof(self.url, token, nonce=nonce)))
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["DPoP-Nonce"])

    def test_required(self):
        """dpop: required: a plain token is refused, valid or not."""
        self.refused(401, "dpop_unbound", token=self.provider.token())

    def test_survives_restart(self):
        """A nonce is good after a restart: its key is in the store."""
        token = self.provider.bound_token()
        nonce = self.lab.get(**self.ask(
            token, self.provider.proof(self.url, token))).headers["DPoP-Nonce"]
        self.agent.process.kill()
        self.agent.start()
        self.lab.until(401, token=self.provider.token())
        proof = self.provider.proof(self.url, token, nonce=nonce)
        self.assertEqual(self.lab.get(**self.ask(token, proof)).status, 200)
