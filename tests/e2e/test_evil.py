"""
Providers that nobody should trust (evil.py), beside one that is fine: each kind of
evil costs that provider its refresh, and nothing else.
"""
import os
import unittest

import evil
import harness
import procs
import tokens
from harness import LabCase

PROVIDER = """\
  - {{name: {name}, issuer: "{issuer}", audiences: [api], algorithms: [ES256], \
refresh: 1s, refresh_min: 1s{more}}}
"""
CONFIG = """\
version: 1
listen: [{{unix: {agent.unix}, group: haproxy}}]
admin: {{unix: {agent.dir}/admin.sock}}
store: {{path: {agent.dir}/state.db}}
bpf: {{mode: "off"}}
seccomp: {seccomp}
providers:
  - {{name: corp, issuer: "{issuer}", audiences: [api], refresh: 1s}}
{providers}roles:
  - {{name: admin, when: [{{claim: [roles], any: [admin]}}], labels: ["k8s:role=admin"], \
number: 200, route: be_admin}}
"""


class EvilCase(LabCase):
    """One agent, one good provider, and one provider for each kind of evil."""

    evil_at_start = False

    @classmethod
    def make(cls):
        cls.provider = harness.provider()
        authority = evil.Authority(cls.lab.dir)
        cls.plain = evil.Server(cls.lab.dir, harness.CTL)
        cls.addClassCleanup(cls.plain.close)
        cls.secure = {}
        # "plain" is about http in place of https, so its issuer needs https.
        for name, tls in [("plain", None), *((n, n) for n in evil.TLS)]:
            cls.secure[name] = evil.Server(cls.lab.dir, harness.CTL, authority, tls)
            cls.addClassCleanup(cls.secure[name].close)
        cls.more = f", ca_file: {authority.file}"
        cls.wanted = {**evil.SCENARIOS, **evil.TLS}
        cls.turn(cls.evil_at_start)
        cls.agent = cls.lab.agent(bpf="off", setup=False, start=False)
        cls.configure()
        cls.agent.launch()
        procs.eventually(lambda: procs.connects(cls.agent.admin), 10, what="the agent listens")
        cls.lab.haproxy("unix@" + cls.agent.unix)

    @classmethod
    def configure(cls):
        rows = "".join(PROVIDER.format(name=name.replace(".", "-"), issuer=cls.server(name).url(name),
                                       more=cls.more if cls.server(name).authority else "")
                       for name in [*cls.wanted, "changing"])
        cls.agent.configure(CONFIG.format(seccomp=harness.SECCOMP, agent=cls.agent, issuer=cls.provider.issuer,
                                          providers=rows))

    @classmethod
    def server(cls, name):
        return cls.secure.get(name, cls.plain)

    @classmethod
    def turn(cls, to_evil):
        for server in (cls.plain, *cls.secure.values()):
            server.evil = to_evil

    def providers(self):
        return {p["name"]: p for p in self.agent.status()["providers"]}

    def until_errors(self):
        """Every evil provider's last error is what it must be; nobody answers in time: none yet."""
        def wrong():
            seen = self.providers()
            return {name: seen[name.replace(".", "-")]["last_error"]
                    for name, error in self.wanted.items()
                    if error and error not in (seen[name.replace(".", "-")]["last_error"] or "")}
        try:
            procs.eventually(lambda: not wrong(), 15, every=0.3)
        except AssertionError:
            self.fail(f"not what was expected: {wrong()}")

    def good_one_answers(self):
        token = self.provider.token()
        for _ in range(10):
            self.assertEqual(self.lab.get(token=token).status, 200)


class EvilFromTheStart(EvilCase):
    evil_at_start = True

    def test_no_keys(self):
        """No evil set is ever taken: 503 for its tokens, 200 for the other provider's."""
        self.until_errors()
        self.good_one_answers()
        for name, provider in self.providers().items():
            if name not in ("corp", "changing"):
                self.assertIn(provider["state"], ("empty", "fetching"), name)
                self.assertEqual(provider["keys"], 0, name)
        for name in self.wanted:
            with self.subTest(name):
                self.refused(503, "keys_unavailable", token=self.server(name).token(name))
        self.good_one_answers()
        # Nobody followed a redirect, and nobody asked where a document pointed away.
        self.assertTrue(self.agent.process.alive())


class EvilLater(EvilCase):
    def test_good_keys_stay(self):
        """Good keys stay whatever becomes of their provider, and are renewed when it is good again."""
        procs.eventually(lambda: {p["state"] for n, p in self.providers().items()
                                  if n != "changing"} <= {"fresh", "refreshing"},
                         15, every=0.2, what="all are fresh")
        good = {name: self.server(name).token(name) for name in self.wanted}
        for name, token in good.items():
            self.assertEqual(self.lab.get(token=token).status, 200, name)
        self.turn(True)
        self.until_errors()
        for name, token in good.items():
            self.assertEqual(self.lab.get(token=token).status, 200, name)
        for name, provider in self.providers().items():
            if name not in ("corp", "changing"):
                self.assertIn(provider["state"], ("stale", "refreshing"), name)
                self.assertEqual(provider["keys"], 1, name)
        self.good_one_answers()
        self.turn(False)
        # Those that hung are asked anew after their ten seconds.
        quick = set(self.wanted) - {"slow", "hang"}
        procs.eventually(lambda: not [n for n in quick if self.providers()[n.replace(".", "-")]
                                      ["last_error"]], 45, every=0.5, what="all are good again")


class EvilIntrospection(LabCase):
    """What a provider says about an opaque token is a stranger's word, too."""

    ANSWERS = {
        b'{"active": "true"}': "introspection_unavailable",
        b'{"active": 1, "aud": "api"}': "introspection_unavailable",
        b"{}": "introspection_unavailable",
        b"[]": "introspection_unavailable",
        b"": "introspection_unavailable",
        b'{"active": true, "active": false}': "introspection_unavailable",
        b'{"active": true, "aud": "api", "roles": ["admin"]': "introspection_unavailable",
        b'{"active": true, "a": ' + b"[" * 100 + b"]" * 100 + b"}": "introspection_unavailable",
        b" " * evil.HUGE: "introspection_unavailable",
        b'{"active": false, "aud": "api", "roles": ["admin"]}': "token_inactive",
        b'{"active": true, "roles": ["admin"]}': "audience_mismatch",
        b'{"active": true, "aud": "api", "roles": ["admin"], "exp": 5}': "expired",
        b'{"active": true, "aud": "api", "roles": ["admin"], "exp": "x"}': "claims_malformed",
        b'{"active": true, "aud": "api", "iss": "https://x", "roles": ["admin"]}': "issuer_mismatch",
    }

    @classmethod
    def make(cls):
        cls.provider = harness.provider()
        cls.server = evil.Server(cls.lab.dir, harness.CTL)
        cls.addClassCleanup(cls.server.close)
        authority = evil.Authority(cls.lab.dir)
        cls.strict = evil.Server(cls.lab.dir, harness.CTL, authority, clients=True)
        cls.addClassCleanup(cls.strict.close)
        secret = os.path.join(cls.lab.dir, "secret")
        with open(secret, "w") as f:
            f.write("x")
        cls.agent = cls.lab.agent(bpf="off", setup=False, start=False)
        how = ", introspection: {{url: '{}/ask', client_id: x, client_secret_file: {}, {}}}"
        rows = "".join(PROVIDER.format(name=name, issuer=cls.server.url(name), more=how.format(
            cls.server.url(name), secret, more)) for name, more in (
                ("first", "prefix: 'first-', negative_ttl: 100ms, ttl: 1s"),
                ("both", "prefix: 'both-', use: always, negative_ttl: 100ms, ttl: 1s")))
        cert, private = authority.issue("agent")
        os.chmod(private, 0o644)  # readable for the agent's user; it is of no worth
        for name, more in (("cert", f"cert_file: {cert}, key_file: {private}"), ("bare", "")):
            keys = os.path.join(cls.lab.dir, f"{name}.jwks")
            with open(keys, "wb") as f:
                f.write(cls.server.good_set("first"))
            url = f"url: '{cls.strict.url(name)}', client_id: x, prefix: '{name}-', "
            rows += PROVIDER.format(name=name, issuer=cls.strict.url(name), more=(
                f", jwks_file: {keys}, ca_file: {authority.file}, introspection: {{{url}"
                + (f"auth: certificate, {more}}}" if more else f"client_secret_file: {secret}}}")))
        cls.agent.configure(CONFIG.format(seccomp=harness.SECCOMP, agent=cls.agent, issuer=cls.provider.issuer,
                                          providers=rows))
        cls.agent.launch()
        procs.eventually(lambda: procs.connects(cls.agent.admin), 10, what="the agent listens")
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def test_answers(self):
        """Only a proper yes for us is a yes; the other provider's tokens are not touched."""
        signed = self.provider.token()
        for i, (answer, reason) in enumerate(self.ANSWERS.items()):
            with self.subTest(answer[:60]):
                self.server.says = (200, {}, answer)
                status = 503 if reason == "introspection_unavailable" else 401
                self.refused(status, reason, token=f"first-{i}")
                self.assertEqual(self.lab.get(token=signed).status, 200)
        for i, status in enumerate((302, 401, 500, 204)):
            self.server.says = (status, {"Location": self.server.url("x")}, b'{"active": true}')
            self.refused(503, "introspection_unavailable", token=f"first-status-{i}")
        self.server.says = (200, {}, b'{"active": true, "aud": "api", "roles": ["admin"]}')
        self.lab.until(200, token="first-good")

    def test_certificate(self):
        """A provider that wants our certificate gets it (RFC 8705 2); without one it is a failure."""
        self.strict.says = (200, {}, b'{"active": true, "aud": "api", "roles": ["admin"]}')
        self.lab.until(200, token="cert-mine")
        self.refused(503, "introspection_unavailable", token="bare-mine")

    def test_where(self):
        """A token is shown to the provider whose prefix it has, and to no other; others to none."""
        self.server.says = (200, {}, b'{"active": true, "aud": "api", "roles": ["admin"]}')
        self.server.asked.clear()
        self.lab.until(200, token="both-mine")
        self.assertEqual(set(self.server.asked), {"/both/ask"})
        self.refused(401, "token_malformed", token="nobodys-token")
        self.assertEqual(set(self.server.asked), {"/both/ask"})

    def test_always(self):
        """A signed token of a provider that is always asked is as good as its last word."""
        token = self.server.token("both")
        self.server.says = (200, {}, b'{"active": true}')
        self.lab.until(200, token=token)
        self.server.says = (200, {}, b'{"active": false}')
        self.lab.until(401, timeout=5, token=token)
        self.refused(401, "token_inactive", token=token)
        self.server.says = (500, {}, b"")
        self.lab.until(503, timeout=5, token=token)
        # The other one is not asked about signed tokens.
        self.assertEqual(self.lab.get(token=self.server.token("first")).status, 200)


if __name__ == "__main__":
    tokens.npm_ready()
    unittest.main()
