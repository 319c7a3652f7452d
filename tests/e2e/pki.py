"""Certificates for TLS on SPOP, made by openssl: a CA, the agent's pair, HAProxy's, a stranger's."""
import os
import subprocess


def _openssl(*argv):
    done = subprocess.run(["openssl", *argv], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"openssl {' '.join(argv)}: {done.stderr}")


class Pki:
    """PEM files in a folder; a pair is NAME.pem (certificate and key in one) and NAME.key."""

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        for name in "ca", "other-ca":
            _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", f"/CN={name}", "-days", "2", "-keyout", self(f"{name}.key"),
                     "-out", self(f"{name}.pem"))
        self.pair("agent")
        self.pair("haproxy")
        self.pair("stranger", ca="other-ca")

    def __call__(self, name):
        return os.path.join(self.folder, name)

    def pair(self, name, ca="ca", as_file=None):
        """Signs a new key for the DNS name NAME.test."""
        file = as_file or name
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", self(f"{file}.key"), "-out", self(f"{file}.csr"))
        with open(self("ext"), "w") as f:
            f.write(f"subjectAltName=DNS:{name}.test\n")
        _openssl("x509", "-req", "-in", self(f"{file}.csr"), "-CA", self(f"{ca}.pem"), "-CAkey",
                 self(f"{ca}.key"), "-CAcreateserial", "-days", "2", "-extfile", self("ext"),
                 "-out", self(f"{file}.crt"))
        with open(self(f"{file}.pem"), "w") as pem:
            for part in f"{file}.crt", f"{file}.key":
                with open(self(part)) as f:
                    pem.write(f.read())
        for part in f"{file}.key", f"{file}.pem":  # the agent's user and HAProxy's read them
            os.chmod(self(part), 0o644)
