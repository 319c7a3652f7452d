"""Certificate-bound tokens of a real provider over real TLS (RFC 8705), and DPoP's https."""
import http.client
import os
import ssl

import harness
import procs
from harness import LabCase


def openssl(*arguments):
    harness.run("openssl", *arguments)


def certificate(folder, name):
    """A self-signed certificate for 127.0.0.1 with its key in one file; its path."""
    path = os.path.join(folder, f"{name}.pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", path, "-out", path + ".crt", "-subj", f"/CN={name}", "-days", "2",
            "-addext", "subjectAltName=IP:127.0.0.1")
    with open(path, "a") as to, open(path + ".crt") as crt:
        to.write(crt.read())
    return path


class Mtls(LabCase):
    """Row 34 of the attack table."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)
        server = certificate(cls.lab.dir, "server")
        cls.alice, cls.mallory = (certificate(cls.lab.dir, n) for n in ("alice", "mallory"))
        # Any certificate is taken, as RFC 8705 3 allows: the handshake proves its key.
        cls.lab.haproxy("unix@" + cls.agent.unix, bind=f"ssl crt {server} verify optional "
                        f"ca-file {server} crt-ignore-err all ca-ignore-err all")
        cls.token = cls.provider.token(client="mtls", headers={
            "x-test-certificate": cls.pem(cls.alice)})
        procs.eventually(lambda: cls.ask(cls.token, cls.alice).status == 200, 10)

    @staticmethod
    def pem(path):
        with open(path + ".crt") as f:
            return "".join(line for line in f.read().splitlines() if "-----" not in line)

    @classmethod
    def ask(cls, token, cert=None, scheme="Bearer", **headers):
        context = ssl.create_default_context(cafile=os.path.join(cls.lab.dir, "server.pem.crt"))
        if cert:
            context.load_cert_chain(cert)
        connection = http.client.HTTPSConnection("127.0.0.1", cls.lab.port, timeout=5,
                                                 context=context)
        connection.request("GET", "/x", headers={"Authorization": f"{scheme} {token}", **headers})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def reason(self, wanted):
        procs.eventually(lambda: f" reason={wanted} " in self.lab.proxy.text().splitlines()[-1],
                         what=f"HAProxy logs reason={wanted}")

    def test_bound(self):
        """The token is good with its certificate alone, also when it was seen before."""
        for _ in range(2):
            self.assertEqual(self.ask(self.token, self.alice).status, 200)
            self.assertEqual(self.ask(self.token, self.mallory).status, 401)
            self.reason("cert_mismatch")
            self.assertEqual(self.ask(self.token).status, 401)
            self.reason("cert_missing")

    def test_unbound(self):
        """A token that is not bound does not care."""
        token = self.provider.token()
        self.assertEqual(self.ask(token).status, 200)
        self.assertEqual(self.ask(token, self.mallory).status, 200)

    def test_dpop_over_tls(self):
        """A proof for https is good over TLS, one for http is not."""
        url = f"https://127.0.0.1:{self.lab.port}/x"
        token = self.provider.bound_token()
        proof = self.provider.proof(url, token)
        self.assertEqual(self.ask(token, scheme="DPoP", DPoP=proof).status, 200)
        proof = self.provider.proof(url.replace("https", "http"), token)
        self.assertEqual(self.ask(token, scheme="DPoP", DPoP=proof).status, 401)
        self.reason("dpop_invalid")
