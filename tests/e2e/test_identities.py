"""
Who a caller is, by other means than a provider's token: client certificates
over real TLS, a shared secret, delegation; and identityctl role test.
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import time

import harness
import procs
import tokens
from harness import LabCase

SECRET = "0123456789abcdef0123456789abcdef"

PROVIDERS = """\
  - {{name: mesh, trust_domain: example.org, trust_bundle: {dir}/mesh.pem}}
  - {{name: legacy, issuer: "https://legacy.example", audiences: [api], algorithms: [HS256], \
secret_file: {dir}/secret, exports: [{{name: teams, claim: [org, teams]}}]}}
"""

ROLES = """\
  - {name: device-admin, provider: corp, when: [{claim: [roles], any: [admin]}, \
{cert: uri, prefix: "spiffe://example.org/"}], labels: ["k8s:role=device"], number: 210, route: be_admin}
  - {name: agent, provider: legacy, when: [{actor: sub, glob: "agent-*"}, {scope: [act]}], \
labels: ["k8s:role=agent"], number: 211, route: be_admin}
  - {name: local, provider: legacy, when: [{source: [127.0.0.0/8]}], labels: ["k8s:role=local"], \
number: 212, route: be_reader}
  - {name: billing, provider: mesh, when: [{claim: sub, prefix: "spiffe://example.org/ns/billing/"}], \
labels: ["k8s:role=billing"], number: 213, route: be_admin}
"""


def openssl(*arguments):
    harness.run("openssl", *arguments)


class Authority:
    """A certificate authority of the tests."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.path = os.path.join(folder, f"{name}.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.path + ".key", "-out", self.path, "-subj", f"/CN={name}",
                "-days", "2", "-addext", "keyUsage=critical,keyCertSign")

    def issue(self, name, san, usage="critical,digitalSignature", days=2):
        """A certificate and its key in one file; its path."""
        path = os.path.join(self.folder, f"{name}.pem")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", path + ".key", "-out", path + ".csr", "-subj", f"/CN={name}")
        with open(path + ".ext", "w") as f:
            f.write(f"subjectAltName={san}\nkeyUsage={usage}\nbasicConstraints=critical,CA:FALSE\n")
        openssl("x509", "-req", "-in", path + ".csr", "-CA", self.path, "-CAkey",
                self.path + ".key", "-CAcreateserial", "-days", str(days), "-extfile",
                path + ".ext", "-out", path + ".crt")
        with open(path, "w") as to:
            for part in ".key", ".crt":
                with open(path + part) as f:
                    to.write(f.read())
        return path


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(secret=SECRET, header=None, **claims):
    """A token of the legacy provider, by nothing but Python's HMAC."""
    now = int(time.time())
    payload = {"iss": "https://legacy.example", "aud": "api", "sub": "alice", "iat": now,
               "exp": now + 300, **claims}
    text = ".".join(b64(json.dumps(part).encode())
                    for part in ({"alg": "HS256", **(header or {})}, payload))
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return tokens.remember(f"{text}.{b64(mac)}")


class Identities(LabCase):
    @classmethod
    def make(cls):
        folder = cls.lab.dir
        cls.mesh, other = Authority(folder, "mesh"), Authority(folder, "other")
        cls.billing = cls.mesh.issue("billing", "URI:spiffe://example.org/ns/billing/api")
        cls.shop = cls.mesh.issue("shop", "URI:spiffe://example.org/ns/shop/web")
        cls.server_cert = cls.mesh.issue("server", "IP:127.0.0.1")
        cls.two = cls.mesh.issue(
            "two", "URI:spiffe://example.org/ns/billing/a,URI:spiffe://example.org/ns/billing/b")
        cls.stranger = other.issue("stranger", "URI:spiffe://example.org/ns/billing/api")
        with open(os.path.join(folder, "secret"), "w") as f:
            f.write(SECRET + "\n")
        os.chmod(f.name, 0o640)
        os.chown(f.name, 0, harness.UID)
        cls.both = os.path.join(folder, "both.pem")
        with open(cls.both, "w") as to:
            for path in cls.mesh.path, other.path:
                with open(path) as f:
                    to.write(f.read())
        cls.agent = cls.lab.agent(bpf="off", setup=False, start=False)
        with open(cls.agent.config) as f:
            text = f.read()
        cls.agent.configure(text.replace(
            "roles:\n", PROVIDERS.format(dir=folder) + "roles:\n" + ROLES)
            + "audit: {to: stdout, headers: [accept-encoding, authorization]}\n")
        cls.agent.start()
        cls.haproxy()
        procs.eventually(lambda: cls.ask(cls.provider.token()).status == 200, 10)

    @classmethod
    def haproxy(cls):
        """The example with TLS: HAProxy verifies against both authorities, and goes on without."""
        path = os.path.join(harness.ROOT, "examples", "haproxy.cfg")
        with open(path) as f:
            text = f.read()
        config = os.path.join(cls.lab.dir, "haproxy.cfg")
        bind = (f'bind "${{IDENTITYD_BIND}}" ssl crt {cls.server_cert} verify optional '
                f"ca-file {cls.both} crt-ignore-err all ca-ignore-err all")
        with open(config, "w") as f:
            f.write(text.replace('bind "${IDENTITYD_BIND}"', bind).replace(
                "	http-request set-header X-Identity-Id ",
                "	http-request set-header X-Identity-Actor %[var(txn.ident.actor)] "
                "if { var(txn.ident.actor) -m found }\n"
                "	http-request set-header X-Identity-Teams %[var(txn.ident.claim_teams)] "
                "if { var(txn.ident.claim_teams) -m found }\n"
                "	http-request set-header X-Identity-Id "))
        example = os.path.join(harness.ROOT, "examples")
        original = os.path.join(example, "haproxy.cfg")
        start = cls.lab.start

        def with_config(name, argv, **how):
            return start(name, [config if a == original else a for a in argv], **how)
        cls.lab.start = with_config
        spoe = os.path.join(cls.lab.dir, "spoe.cfg")
        with open(os.path.join(example, "spoe-identity.cfg")) as f:
            text = f.read()
        with open(spoe, "w") as f:
            f.write(text.replace("args scheme=", "args headers=req.hdrs_bin scheme="))
        cls.lab.haproxy("unix@" + cls.agent.unix, spoe=spoe)
        cls.lab.start = start

    @classmethod
    def ask(cls, token=None, cert=None):
        context = ssl.create_default_context(cafile=cls.mesh.path)
        if cert:
            context.load_cert_chain(cert)
        connection = http.client.HTTPSConnection("127.0.0.1", cls.lab.port, timeout=5,
                                                 context=context)
        connection.request("GET", "/x", headers={"Authorization": f"Bearer {token}"}
                           if token else {})
        answer = connection.getresponse()
        body = answer.read()
        answer.seen = {name.lower(): value for name, value in json.loads(body)["headers"]} \
            if answer.status == 200 else {}
        connection.close()
        return answer

    def audited(self):
        """Headers of each decision in the audit log, which is the agent's standard output here."""
        lines = [json.loads(line) for line in self.agent.process.text().splitlines()
                 if line.startswith('{"flow"')]
        return [{h["key"]: h["value"] for h in line["flow"]["l7"]["http"]["headers"]}
                for line in lines if "l7" in line["flow"]]

    def refused(self, reason, status, **request):
        self.assertEqual(self.ask(**request).status, status)
        procs.eventually(lambda: f" reason={reason} " in self.lab.proxy.text().splitlines()[-1],
                         what=f"HAProxy logs reason={reason}")

    def test_certificate(self):
        """A caller with an X.509-SVID and no token has its role, subject and identity."""
        seen = self.ask(cert=self.billing).seen
        self.assertEqual(seen["x-identity-role"], "billing")
        self.assertEqual(seen["x-identity-id"], "213")
        self.assertEqual(seen["x-identity-subject"], "spiffe://example.org/ns/billing/api")
        self.assertEqual(seen["x-identity-issuer"], "spiffe://example.org")

    def test_certificates_refused(self):
        """No role, two URIs, another authority: none is a caller, though HAProxy took the last two."""
        self.refused("no_role", 403, cert=self.shop)
        self.refused("cert_not_allowed", 401, cert=self.two)
        self.refused("cert_untrusted", 401, cert=self.stranger)
        self.refused("no_token", 401)

    def test_unverified(self):
        """A certificate that HAProxy could not verify is no credential."""
        lone = os.path.join(self.lab.dir, "lone")
        os.makedirs(lone, exist_ok=True)
        unknown = Authority(lone, "unknown").issue("x", "URI:spiffe://example.org/ns/billing/api")
        self.refused("cert_unverified", 401, cert=unknown)

    def test_token_and_certificate(self):
        """One role for a token with a certificate, another for the token alone."""
        token = self.provider.token()
        self.assertEqual(self.ask(token, self.shop).seen["x-identity-role"], "device-admin")
        self.assertEqual(self.ask(token).seen["x-identity-role"], "admin")
        self.assertEqual(self.ask(token, self.stranger).seen["x-identity-role"], "admin")

    def test_secret(self):
        """HS256 with the operator's secret; no other secret, no other algorithm."""
        seen = self.ask(sign(org={"teams": ["core", "edge"]})).seen
        self.assertEqual(seen["x-identity-role"], "local")
        self.assertEqual(seen["x-identity-teams"], "core,edge")
        self.refused("signature_invalid", 401, token=sign(secret="x" * 32))
        with open(self.mesh.path) as f:
            self.refused("signature_invalid", 401, token=sign(secret=f.read()))
        self.refused("alg_not_allowed", 401, token=sign(header={"alg": "HS512"}))

    def test_delegation(self):
        """An agent that acts for somebody: its own role, and HAProxy knows both."""
        seen = self.ask(sign(act={"sub": "agent-7", "act": {"sub": "gw"}}, scp=["act"])).seen
        self.assertEqual(seen["x-identity-role"], "agent")
        self.assertEqual(seen["x-identity-subject"], "alice")
        self.assertEqual(seen["x-identity-actor"], "agent-7")
        # HAProxy sends the headers that the audit log is to have; the secret one without its value.
        line = procs.eventually(lambda: [one for one in self.audited() if one.get("X-Identityd-Actor")],
                                what="an audit line")[-1]
        self.assertEqual((line["X-Identityd-Actor"], line["X-Identityd-Sub"]), ("agent-7", "alice"))
        self.assertEqual((line["accept-encoding"], line["authorization"]), ("identity", "HUBBLE_REDACTED"))
        deep = {"sub": "e"}
        for name in "dcba":
            deep = {"sub": name, "act": deep}
        self.refused("actor_too_deep", 401, token=sign(act=deep))

    def role_test(self, *arguments):
        done = harness.run(harness.CTL, "role", "test", "--socket", self.agent.admin, "-o", "json",
                           *arguments, check=False)
        return done.returncode, json.loads(done.stdout)

    def test_role_test(self):
        """identityctl says which role, and for the others why not; tokens, claims, certificates."""
        path = os.path.join(self.lab.dir, "token.txt")
        with open(path, "w") as f:
            f.write(sign(act={"sub": "agent-7"}, scp=["act"]))
        code, answer = self.role_test("--token", "@" + path)
        self.assertEqual((code, answer["role"]), (0, "agent"))
        code, answer = self.role_test("--provider", "corp", "--claims", '{"roles": ["guest"]}')
        self.assertEqual((code, answer["reason"]), (1, "no_role"))
        why = {role["role"]: role.get("why") for role in answer["roles"]}
        self.assertEqual(why["admin"], 'claim roles any [admin]: it is ["guest"]')
        self.assertEqual(why["billing"], "it is for provider mesh")
        code, answer = self.role_test("--cert", self.billing + ".crt")
        self.assertEqual((code, answer["role"]), (0, "billing"))
        code, answer = self.role_test("--provider", "legacy", "--claims", "{}", "--source",
                                      "127.0.0.9", "--proxied")
        self.assertEqual((code, answer["reason"]), (1, "no_role"))
        text = harness.run(harness.CTL, "role", "test", "--socket", self.agent.admin, "--provider",
                           "legacy", "--claims", "{}", "--source", "127.0.0.9").stdout
        self.assertRegex(text, r"(?m)^role +local$")
        done = harness.run(harness.CTL, "role", "test", "--socket", self.agent.admin, "--provider",
                           "nobody", "--claims", "{}", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no provider of that name", done.stderr)

    def test_print(self):
        """identityd --check --print writes a configuration that is as good as the first."""
        one = subprocess.run([harness.IDENTITYD, "--check", "--print", self.agent.config],
                             capture_output=True, text=True, check=True, timeout=10).stdout
        path = os.path.join(self.lab.dir, "printed.yaml")
        with open(path, "w") as f:
            f.write(one)
        two = harness.run(harness.IDENTITYD, "--check", "--print", path).stdout
        self.assertEqual(one, two)
        self.assertNotIn(SECRET, one)

    def test_ask(self):
        """identityd --check --ask answers about a file that no agent serves yet."""
        question = os.path.join(self.lab.dir, "question.json")
        with open(question, "w") as f:
            json.dump({"provider": "legacy", "claims": {"act": {"sub": "agent-1"}, "scope": "act"}}, f)
        done = harness.run(harness.IDENTITYD, "--check", "--ask", question, self.agent.config)
        self.assertEqual(json.loads(done.stdout)["role"], "agent")
        with open(question, "w") as f:
            json.dump({"provider": "legacy", "claims": {}}, f)
        done = harness.run(harness.IDENTITYD, "--check", "--ask", question, self.agent.config,
                           check=False)
        self.assertEqual((done.returncode, json.loads(done.stdout)["reason"]), (1, "no_role"))
