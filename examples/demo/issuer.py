"""Who hands out the demo's tokens: keys by openssl, tokens and JWKs by identityctl."""
import json
import os
import subprocess
import sys

import harness
import procs

HERE = os.path.dirname(os.path.abspath(__file__))


class Issuer:
    def __init__(self, lab):
        self.lab, self.port = lab, procs.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = os.path.join(lab.dir, "idp")
        self.published = []
        os.makedirs(os.path.join(self.folder, ".well-known"))
        self.new_key("key-1")
        with open(os.path.join(self.folder, ".well-known", "openid-configuration"), "w",
                  encoding="ascii") as f:
            json.dump({"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"}, f)
        self.process = lab.start("idp", [
            sys.executable, os.path.join(HERE, "idp.py"), self.folder, str(self.port)])
        procs.eventually(lambda: procs.connects(("127.0.0.1", self.port)), 10,
                         what="the identity provider listens")

    def key_file(self, kid):
        return os.path.join(self.lab.dir, f"{kid}.pem")

    def new_key(self, kid, publish=True):
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
                        "rsa_keygen_bits:2048", "-out", self.key_file(kid)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not publish:
            return
        self.published.insert(0, kid)
        keys = [word for kid in self.published for word in
                ("--key", self.key_file(kid), "--kid", kid, "--alg", "RS256")]
        jwks = harness.run(harness.CTL, "token", "jwk", "--set", *keys).stdout
        path = os.path.join(self.folder, "jwks.json")
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(jwks)
        os.rename(path + ".new", path)

    def token(self, kid="key-1", key=None, ttl="1h", aud="api", sub="alice", **claims):
        """key: sign with another key than the one that kid names."""
        return harness.run(
            harness.CTL, "token", "mint", "--alg", "RS256", "--key", self.key_file(key or kid),
            "--kid", kid, f"--ttl={ttl}", "--iss", self.url, "--sub", sub, "--aud", aud,
            "--claims", json.dumps(claims)).stdout.strip()
