"""
An identity provider that nobody should trust. Each scenario is a provider of its
own: https or http on 127.0.0.1 at PORT/NAME, with discovery, a key set and
introspection. While `evil` is False it is a good one; then it is what its name
says. Its keys are real, so good tokens of it can be made at any time.
"""
import gzip
import http.server
import json
import os
import socketserver
import ssl
import subprocess
import threading
import time

import procs
import tokens

HUGE = 10 * 1024 * 1024

# What a key set's answer may be: (status, headers, body of bytes) of (server, name).
def _plain(status, body, **headers):
    return lambda server, name: (status, headers, body if isinstance(body, bytes) else body.encode())


def _private(server, name):
    return 200, {}, json.dumps({"keys": [{**server.jwk(name), "d": "AAAA"}]}).encode()


def _many(server, name):
    return 200, {}, json.dumps({"keys": [server.jwk(name)] * 65}).encode()


def _gzip(server, name):
    return 200, {"Content-Encoding": "gzip"}, gzip.compress(server.good_set(name))


def _redirect(server, name):
    return 302, {"Location": f"{server.url(name)}/good"}, b""


def _changing(server, name):
    """Another answer each time: now this key, now rubbish, now nothing."""
    server.turn += 1
    return [(200, {}, server.good_set(name)), (200, {}, b"{}"), (500, {}, b""),
            (200, {}, b'{"keys": [')][server.turn % 4]


# name: (answer for the key set, what status must say as last_error)
SETS = {
    "redirect": (_redirect, "HTTP status 302"),
    "redirect-loop": (lambda s, n: (301, {"Location": f"{s.url(n)}/jwks"}, b""), "HTTP status 301"),
    "huge": (_plain(200, b" " * HUGE), "larger than allowed"),
    "oct": (_plain(200, '{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}]}'), "no usable key"),
    "private": (_private, "private key is published"),
    "empty-object": (_plain(200, "{}"), "not a JWK set"),
    "no-keys": (_plain(200, '{"keys": []}'), "no usable key"),
    "empty": (_plain(200, ""), "not a JWK set"),
    "truncated-json": (_plain(200, '{"keys": [{"kty": "EC", "crv"'), "not a JWK set"),
    "deep": (_plain(200, '{"keys": ' + "[" * 5000 + "]" * 5000 + "}"), "too deep"),
    "many": (_many, "more than 64 keys"),
    "gzip": (_gzip, "not a JWK set"),
    "html": (_plain(200, "<html>Please log in</html>"), "not a JWK set"),
    "error": (_plain(500, "broken"), "HTTP status 500"),
    "missing": (_plain(404, "no"), "HTTP status 404"),
}

# The same for discovery.
DOCUMENTS = {
    "other-issuer": (lambda s, n: {"issuer": "https://other.example", "jwks_uri": s.url(n) + "/jwks"},
                     "names another issuer"),
    "other-host": (lambda s, n: {"issuer": s.url(n), "jwks_uri": "https://other.example/jwks"},
                   "not an https URL on the issuer's host"),
    "plain": (lambda s, n: {"issuer": s.url(n), "jwks_uri": f"http://127.0.0.1:{s.port}/{n}/jwks"},
              "not an https URL on the issuer's host"),
    "file": (lambda s, n: {"issuer": s.url(n), "jwks_uri": "file:///etc/passwd"},
             "not an https URL on the issuer's host"),
    "array": (lambda s, n: [1], "discovery document is not one"),
}

# What happens below HTTP; None: there is no answer in time, so no error yet either.
WIRES = {"cut": "closed in the middle", "slow": None, "hang": None, "noise": "does not speak HTTP"}

# Which certificate, and how it is spoken.
TLS = {"self-signed": "not trusted", "wrong-host": "not trusted", "expired": "not trusted",
       "tls1.1": "TLS handshake failed"}

SCENARIOS = {**{n: e for n, (_, e) in {**SETS, **DOCUMENTS}.items()}, **WIRES}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server.owner
        name, _, what = self.path.lstrip("/").partition("/")
        server.seen[name] = server.seen.get(name, 0) + 1
        if server.evil and name in WIRES:
            self.misbehave(name)
        elif what == ".well-known/openid-configuration":
            evil = server.evil and name in DOCUMENTS
            document = DOCUMENTS[name][0](server, name) if evil else {
                "issuer": server.url(name), "jwks_uri": f"{server.url(name)}/jwks"}
            self.answer(200, {}, json.dumps(document).encode())
        elif server.evil and name in SETS and what == "jwks":
            self.answer(*SETS[name][0](server, name))
        elif server.evil and name == "changing":
            self.answer(*_changing(server, name))
        else:
            self.answer(200, {}, server.good_set(name))

    def do_POST(self):
        """Introspection: whatever server.says."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = self.server.owner
        server.asked.append(self.path)
        self.answer(*server.says)

    def answer(self, status, headers, body):
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        if self.server.owner.tls:
            self.send_header("Connection", "close")  # the next one is a new handshake
        self.end_headers()
        self.wfile.write(body)

    def misbehave(self, name):
        self.close_connection = True
        if name == "noise":
            self.wfile.write(b"\x00\x01\x02 this is not HTTP\r\n\r\n")
        elif name == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"keys\": [")
        elif name == "slow":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while self.server.owner.evil:
                self.wfile.write(b" ")
                time.sleep(1)
        else:
            while self.server.owner.evil:
                time.sleep(0.2)

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            pass  # whoever we ill-treat goes away

    def log_message(self, *_):
        pass


class _Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self):
        sock, address = super().get_request()
        sock.settimeout(20)
        return sock, address

    def finish_request(self, request, client_address):
        """The handshake is in the connection's own thread, so that nobody waits for another's."""
        context = self.owner.context()
        try:
            if context:
                request = context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except (OSError, ssl.SSLError):
            pass

    def handle_error(self, *_):
        pass


def _openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, capture_output=True, timeout=30)


class Authority:
    """A CA in a folder, and what it signs."""

    def __init__(self, folder):
        self.folder = folder
        self.file = os.path.join(folder, "ca.pem")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", self.path("ca.key"), "-out", self.file, "-subj", "/CN=test CA",
                 "-days", "2")

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, san="IP:127.0.0.1", past=False, own=False):
        """(certificate, key); past: expired yesterday; own: signed by itself."""
        key, request, cert = (self.path(f"{name}.{end}") for end in ("key", "csr", "pem"))
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 key, "-out", request, "-subj", f"/CN={name}")
        with open(self.path(f"{name}.ext"), "w") as f:
            f.write(f"subjectAltName={san}\n")
        signer = ["-signkey", key] if own else ["-CA", self.file, "-CAkey", self.path("ca.key"),
                                                "-CAcreateserial"]
        _openssl("x509", "-req", "-in", request, *signer, "-out", cert, "-days",
                 "-1" if past else "2", "-extfile", self.path(f"{name}.ext"))
        return cert, key


class Server:
    """One port; tls names the certificate that it shows while it is evil, "good" otherwise."""

    def __init__(self, folder, ctl, authority=None, tls=None, clients=False):
        self.folder, self.ctl, self.authority, self.tls = folder, ctl, authority, tls
        self.clients = clients  # they must have a certificate of the authority's
        self.evil, self.turn, self.seen, self.asked = False, 0, {}, []
        self.says = (200, {}, b'{"active": false}')
        self.contexts = {}
        self.port = procs.free_port()
        self.lock = threading.Lock()
        self.sets = {}
        self.http = _Listener(("127.0.0.1", self.port), Handler)
        self.http.owner = self
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.evil = False
        self.http.shutdown()
        self.http.server_close()

    def url(self, name):
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self.port}/{name}"

    def context(self):
        """How this connection speaks TLS, or None."""
        if not self.authority:
            return None
        name = self.tls if self.evil and self.tls else "good"
        with self.lock:
            if name not in self.contexts:
                self.contexts[name] = self.make_context(name)
        return self.contexts[name]

    def make_context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.authority.issue(
            f"{self.port}-{name}", san="DNS:other.example" if name == "wrong-host" else "IP:127.0.0.1",
            past=name == "expired", own=name == "self-signed"))
        if self.clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority.file)
        if name == "tls1.1":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def key(self, name):
        path = os.path.join(self.folder, f"{self.port}-{name}.sig.pem")
        with self.lock:
            if not os.path.exists(path):
                _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-out", path)
        return path

    def good_set(self, name):
        path = self.key(name)
        with self.lock:
            if name not in self.sets:
                self.sets[name] = subprocess.run(
                    [self.ctl, "token", "jwk", "--key", path, "--kid", f"k-{name}", "--set"], check=True, capture_output=True, timeout=30).stdout
            return self.sets[name]

    def jwk(self, name):
        return json.loads(self.good_set(name))["keys"][0]

    def token(self, name):
        """A good token of this scenario's provider."""
        done = subprocess.run(
            [self.ctl, "token", "mint", "--alg", "ES256", "--key", self.key(name), "--kid",
             f"k-{name}", "--iss", self.url(name), "--aud", "api", "--sub", "admin", "--claims",
             '{"roles": ["admin"]}', "--ttl", "5m"], check=True, capture_output=True, text=True,
            timeout=30)
        return tokens.remember(done.stdout.strip())
