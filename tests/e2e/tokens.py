"""The identity provider of the tests (tests/idp), and tokens from it."""
import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import procs

HERE = os.path.dirname(os.path.abspath(__file__))
IDP_DIR = os.environ.get("IDP_DIR", os.path.join(HERE, "..", "idp"))


secrets = set()  # pieces of every token that was handed out: no log may hold one


def remember(token):
    secrets.update(part[-24:] for part in token.split(".")[1:] or [token])
    return token


def _post(url, data, headers=None):
    request = urllib.request.Request(url, data, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.code} {error.read()!r}") from None


class Provider:
    """`node idp.js` on loopback; see there for clients and commands."""

    def __init__(self, log):
        self.port, self.control_port = procs.free_port(), procs.free_port()
        self.log = log
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.process = procs.Process("idp", [
            "node", os.path.join(IDP_DIR, "idp.js"), str(self.port), str(self.control_port)],
            self.log)
        procs.eventually(lambda: "ready" in self.process.text() or not self.process.alive(),
                         30, what="the identity provider starts")
        if not self.process.alive():
            raise AssertionError(f"the identity provider ended:\n{self.process.text()}")

    def close(self):
        self.process.kill()

    def command(self, name, **body):
        return _post(f"http://127.0.0.1:{self.control_port}/{name}", json.dumps(body).encode())

    def token(self, client="admin", alg="RS256", audience="api", ttl=300, scope="read",
              headers=None):
        """An access token by the client credentials grant."""
        form = {"grant_type": "client_credentials", "client_id": client,
                "client_secret": "secret", "resource": f"urn:{audience}:{alg}:{ttl}"}
        if client == "reader":
            form["scope"] = scope
        answer = _post(f"{self.issuer}/token", urllib.parse.urlencode(form).encode(), headers)
        return remember(answer["access_token"])

    def proof(self, url, token=None, key="holder", method="GET", **claims):
        """A DPoP proof for this request (RFC 9449 4.2)."""
        made = self.command("proof", key=key, token=token,
                            claims={"htm": method, "htu": url, **claims})
        return remember(made["proof"])

    def bound_token(self, key="holder", **options):
        """An access token that is bound to this key."""
        proof = self.proof(f"{self.issuer}/token", key=key, method="POST")
        return self.token(headers={"DPoP": proof}, **options)

    def sign(self, alg="RS256", header=None, **claims):
        """Any claims at all, signed with the provider's current key; good ones by default."""
        now = int(time.time())
        good = {"iss": self.issuer, "aud": "api", "sub": "admin", "iat": now,
                "exp": now + 300, "roles": ["admin"]}
        return remember(self.command("sign", alg=alg, header=header or {},
                                     claims={**good, **claims})["token"])


def tampered(token):
    """The same token with another signature of the same length."""
    head, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[len(raw) // 2] ^= 1
    return remember(head + "." + base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))


def kid(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]


def npm_ready():
    """Installs the provider's packages where they are missing."""
    if not os.path.isdir(os.path.join(IDP_DIR, "node_modules", "oidc-provider")):
        subprocess.run(["npm", "ci", "--silent"], cwd=IDP_DIR, check=True)
