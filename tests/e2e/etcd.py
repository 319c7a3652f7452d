"""A real etcd with TLS, and what is in it, over the same JSON gateway that identityd uses."""
import base64
import json
import os
import shutil
import ssl
import urllib.request

import procs


def b64(text):
    return base64.b64encode(text.encode()).decode()


def text_of(value):
    return base64.b64decode(value).decode()


class Etcd:
    """Listens on an address with this certificate, and wants one of the same authority from clients."""

    def __init__(self, lab, authority, server, client, host="127.0.0.1"):
        self.lab, self.host, self.port = lab, host, procs.free_port()
        self.folder = os.path.join(lab.dir, "etcd")
        self.files = authority.path, server, client
        self.peer = procs.free_port()
        self.context = ssl.create_default_context(cafile=authority.path)
        self.context.load_cert_chain(client)
        self.process = None
        self.start()

    @property
    def url(self):
        return f"https://{self.host}:{self.port}"

    def start(self):
        ca, server, _ = self.files
        self.process = self.lab.start("etcd", [
            "etcd", "--data-dir", self.folder, "--listen-client-urls", self.url,
            "--advertise-client-urls", self.url,
            "--listen-peer-urls", f"http://127.0.0.1:{self.peer}",
            "--initial-advertise-peer-urls", f"http://127.0.0.1:{self.peer}",
            "--initial-cluster", f"default=http://127.0.0.1:{self.peer}",
            "--cert-file", server, "--key-file", server, "--client-cert-auth",
            "--trusted-ca-file", ca, "--heartbeat-interval", "50", "--election-timeout", "500"])
        procs.eventually(self.healthy, 20, what="etcd answers")

    def kill(self):
        self.process.kill()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def healthy(self):
        try:
            return self.get("x") is None
        except OSError:
            return False

    def call(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, context=self.context, timeout=5) as answer:
            return json.load(answer)

    def all(self, prefix):
        """{key: value} of what begins so."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self.call("/v3/kv/range", {"key": b64(prefix), "range_end": b64(end)})
        return {text_of(kv["key"]): text_of(kv.get("value", "")) for kv in found.get("kvs", [])}

    def get(self, key):
        found = self.call("/v3/kv/range", {"key": b64(key)}).get("kvs")
        return text_of(found[0].get("value", "")) if found else None

    def delete(self, key):
        self.call("/v3/kv/deleterange", {"key": b64(key)})

    def put(self, key, value):
        self.call("/v3/kv/put", {"key": b64(key), "value": b64(value)})
