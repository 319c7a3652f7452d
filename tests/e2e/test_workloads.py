"""
Callers that Cilium knows by their addresses, in a network namespace: a real map
with Cilium's layout, pinned, filled, made anew as Cilium's agent does, and made
readable by identityd-setup --grant-ipcache. examples/haproxy.cfg as it stands.
"""
import ipaddress
import json
import os
import subprocess
import sys
import unittest

import harness
import kernel
import procs
from harness import HAPROXY, LabCase, run

SHOP, BANK, NODE = "10.77.8.1", "10.77.8.2", "10.77.8.3"  # pods, and one that is none
NAT = "10.77.9.9"  # outside of the ranges
NUMBER = {SHOP: 51966, BANK: 51967, NODE: 6}
LABELS = {
    51966: ["k8s:io.kubernetes.pod.namespace=shop",
            "k8s:io.cilium.k8s.policy.serviceaccount=cart", "k8s:app=cart"],
    51967: ["k8s:io.kubernetes.pod.namespace=bank",
            "k8s:io.cilium.k8s.policy.serviceaccount=vault", "k8s:app=vault"]}

ROLES = """\
  - {name: cart, provider: workload, when: [{workload: app=cart}], labels: ["k8s:role=cart"], \
number: 300}
  - {name: pod, provider: corp, labels: ["k8s:role=pod"], number: 301}
"""
MORE = """\
audit: {{to: file, path: {dir}/audit.log, allowed: 0}}
workloads:
  ranges: [10.77.8.0/24]
  ipcache: {pins}
  labels_file: {labels}
  mismatch: {mismatch}
  unknown: {unknown}
"""

APPLICATION = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.headers.get("X-Identity-Role") or "-").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Handler).serve_forever()
"""

# A request from the address argv[1] with the token argv[2] (or "-"); argv[3]: a PROXY header.
CLIENT = """
import http.client, sys
source, token, port = sys.argv[1:4]
c = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10, source_address=(source, 0))
if len(sys.argv) > 4:
    c.connect()
    c.sock.sendall(f"PROXY TCP4 {sys.argv[4]} 127.0.0.1 5 6\\r\\n".encode())
c.request("GET", "/", headers={"Authorization": "Bearer " + token} if token != "-" else {})
a = c.getresponse()
body = a.read().decode()
print(a.status, body if a.status == 200 else "")
"""


class Workloads(LabCase):
    asks_haproxy = False  # what HAProxy says about addresses is the same in all of them

    @classmethod
    def make(cls):
        cls.ns = f"identityd-workloads{os.getpid()}"
        run("ip", "netns", "add", cls.ns)
        cls.addClassCleanup(subprocess.run, ["ip", "netns", "del", cls.ns], check=False)
        run("ip", "-n", cls.ns, "link", "set", "lo", "up")
        for address in SHOP, BANK, NODE, NAT:
            run("ip", "-n", cls.ns, "addr", "add", f"{address}/32", "dev", "lo")
        cls.pins = os.path.join(cls.lab.dir, "cilium")
        os.mkdir(cls.pins)
        run("mount", "-t", "bpf", "-o", "mode=700", "bpf", cls.pins)
        cls.addClassCleanup(kernel.unmount, cls.pins)
        cls.labels = os.path.join(cls.lab.dir, "identities.json")
        cls.write_labels(LABELS)
        cls.pin = os.path.join(cls.pins, "cilium_ipcache_v2")
        cls.create()
        cls.agent = cls.lab.agent(setup=False, start=False, workers=1)
        cls.options(mismatch="deny", unknown="allow")
        cls.agent.setup()
        cls.grant()
        cls.agent.start()
        cls.lab.start("application", cls.inside(sys.executable, "-c", APPLICATION))
        cls.haproxy(8091)
        cls.haproxy(8092, "accept-proxy")
        procs.eventually(lambda: cls.ask(SHOP) == (200, "cart"), 10, what="the agent answers")

    @classmethod
    def options(cls, **how):
        cls.how = {**getattr(cls, "how", {}), **how}
        cls.agent.configure(roles=ROLES, more=MORE.format(dir=cls.agent.dir, pins=cls.pins, labels=cls.labels,
                                             **cls.how))

    @classmethod
    def write_labels(cls, labels):
        with open(cls.labels + ".new", "w") as f:
            json.dump([{"id": n, "labels": texts} for n, texts in labels.items()], f)
        os.rename(cls.labels + ".new", cls.labels)

    @classmethod
    def create(cls):
        """A new map as Cilium's agent makes it at its start: for root alone, and empty."""
        if os.path.exists(cls.pin):
            os.unlink(cls.pin)
        run("bpftool", "map", "create", cls.pin, "type", "lpm_trie", "key", "24", "value", "24",
            "entries", "512000", "name", "cilium_ipcache_", "flags", "0x81")
        for address, number in NUMBER.items():
            cls.put(address, number)

    @classmethod
    def put(cls, address, number):
        key = (64).to_bytes(4, "little") + bytes([0, 0, 0, 1]) + \
            ipaddress.ip_address(address).packed + bytes(12)
        kernel.put(cls.pin, key, number.to_bytes(4, "little") + bytes(20))

    @classmethod
    def grant(cls):
        return run(harness.SETUP, "--config", cls.agent.config, "--grant-ipcache").stdout

    @classmethod
    def inside(cls, *argv):
        return ["ip", "netns", "exec", cls.ns, *argv]

    @classmethod
    def haproxy(cls, port, bind=""):
        folder = os.path.join(cls.lab.dir, f"haproxy-{port}")
        os.mkdir(folder)
        with open(os.path.join(harness.ROOT, "examples", "haproxy.cfg")) as f:
            text = f.read().replace('bind "${IDENTITYD_BIND}"', f'bind "${{IDENTITYD_BIND}}" {bind}')
        with open(f"{folder}/haproxy.cfg", "w") as f:
            f.write(text)
        env = {"IDENTITYD_BIND": f":{port}", "IDENTITYD_HAPROXY_SOCKET": f"{folder}/admin.sock",
               "IDENTITYD_SPOE_CONFIG": os.path.join(harness.ROOT, "examples", "spoe-identity.cfg")}
        for name in "AGENT_1", "AGENT_2":
            env[f"IDENTITYD_{name}"] = "unix@" + cls.agent.unix
        for name in "ADMIN", "READER":
            env[f"IDENTITYD_BACKEND_{name}"] = "127.0.0.1:8081"
        cls.lab.start(f"haproxy-{port}", cls.inside(*HAPROXY, "-db", "-f", f"{folder}/haproxy.cfg"),
                      env=env)
        procs.eventually(lambda: os.path.exists(f"{folder}/admin.sock"), 10, what="HAProxy listens")

    @classmethod
    def ask(cls, source, token="-", port=8091, proxy=()):
        """(status, role that the application heard of)"""
        said = run(*cls.inside(sys.executable, "-c", CLIENT, source, token, str(port), *proxy)).stdout
        status, _, role = said.strip().partition(" ")
        return int(status), role

    def token(self, namespace, account, **more):
        bound = {"namespace": namespace, "serviceaccount": {"name": account, "uid": "u"}, **more}
        return self.provider.sign(sub=f"system:serviceaccount:{namespace}:{account}",
                                  **{"kubernetes.io": bound})

    def audited(self):
        path = f"{self.agent.dir}/audit.log"
        if not os.path.exists(path):
            return []
        with open(path) as f:
            lines = [json.loads(line)["flow"] for line in f]
        return [(line["verdict"], {h["key"]: h["value"] for h in line["l7"]["http"]["headers"]})
                for line in lines if "l7" in line]

    def last_audited(self, verdict, said):
        """The audit log has a line with this verdict and the token's workload, and both sides."""
        found = procs.eventually(lambda: [h for v, h in self.audited() if v == verdict and
                                          h.get("X-Identityd-Token-Workload") == said],
                                 what=f"{verdict} {said} in the audit log")
        self.assertIn("k8s:app=vault", found[-1]["X-Identityd-Workload"])
        return found[-1]

    def test_without_token(self):
        """A pod with a role; a pod without; a node; an address outside; one that a header says."""
        self.assertEqual(self.ask(SHOP), (200, "cart"))
        for address in BANK, NODE, NAT, "127.0.0.1":
            self.assertEqual(self.ask(address)[0], 401, address)
        self.assertEqual(self.ask(SHOP, port=8092, proxy=[SHOP])[0], 401)
        self.assertEqual(self.ask(NAT, port=8092, proxy=[SHOP])[0], 401)

    def test_role_test(self):
        """identityctl says who is at an address, and whether a token may come from there."""
        def ask(*words):
            done = run(harness.CTL, "role", "test", "--socket", self.agent.admin, "-o", "json",
                       *words, check=False)
            answer = json.loads(done.stdout)
            return done.returncode, answer["reason"], answer["workload"]["where"]
        self.assertEqual(ask("--source", SHOP), (0, "ok", "known"))
        self.assertEqual(ask("--source", NODE), (1, "no_token", "world"))
        self.assertEqual(ask("--source", BANK, "--token", self.token("shop", "cart")),
                         (1, "workload_mismatch", "known"))

    def test_binding(self):
        """A service account's token is good in its own pod and nowhere else in the cluster."""
        shop = self.token("shop", "cart")
        self.assertEqual(self.ask(SHOP, shop), (200, "pod"))
        self.assertEqual(self.ask(BANK, shop)[0], 403)
        self.assertEqual(self.last_audited("DROPPED", "shop/cart/")["X-Identityd-Reason"],
                         "workload_mismatch")
        self.assertEqual(self.ask(SHOP, self.token("shop", "admin"))[0], 403)
        # Unknown: a NAT, a node, behind a proxy.
        self.assertEqual(self.ask(NAT, shop), (200, "pod"))
        self.assertEqual(self.ask(NODE, shop), (200, "pod"))
        self.assertEqual(self.ask(BANK, shop, port=8092, proxy=[BANK]), (200, "pod"))
        # Other tokens have nothing to be compared.
        self.assertEqual(self.ask(BANK, self.provider.token()), (200, "pod"))
        for result in "match", "mismatch", "unknown":
            self.assertGreater(self.agent.metric(f'workload_tokens.*"{result}"'), 0, result)

    def test_modes(self):
        """mismatch: audit lets it pass and always writes it down; unknown: deny refuses."""
        self.addCleanup(self.agent.reload)
        self.addCleanup(self.options, mismatch="deny", unknown="allow")
        self.options(mismatch="audit", unknown="deny")
        self.assertEqual(self.agent.reload()["level"], "info")
        token = self.token("shop", "cart", pod={"name": "cart-7"})
        self.assertEqual(self.ask(BANK, token), (200, "pod"))
        self.last_audited("AUDIT", "shop/cart/cart-7")
        self.assertEqual(self.ask(NAT, token)[0], 403)
        self.assertEqual(self.ask(SHOP, token), (200, "pod"))

    def test_map_made_anew(self):
        """
        Cilium's agent starts: its new map may not be read until root says so (an error,
        for callers that it could know), and then what it says counts, not the old one.
        """
        def lost():
            return self.agent.status()["workloads"]["ipcache"]["why"]
        self.create()
        self.assertIn("--grant-ipcache", procs.eventually(lost, what="the new pin is noticed"))
        self.assertEqual(self.ask(SHOP)[0], 503)
        self.assertEqual(self.ask(SHOP, self.token("shop", "cart"))[0], 503)
        self.assertEqual(self.ask(NAT)[0], 401)
        self.assertEqual(self.ask(SHOP, self.provider.token()), (200, "pod"))
        self.put(SHOP, NUMBER[BANK])
        self.put(BANK, NUMBER[SHOP])
        self.assertIn("may be read", self.grant())
        procs.eventually(lambda: not lost(), what="it is open")
        self.assertEqual(self.ask(SHOP, self.token("shop", "cart"))[0], 403)
        self.assertEqual(self.ask(BANK, self.token("shop", "cart")), (200, "pod"))
        for address in SHOP, BANK:
            self.put(address, NUMBER[address])

    def test_labels_file(self):
        """Without labels nobody knows who it is; a bad file changes nothing; a good one is taken."""
        def state():
            said = self.agent.status()["workloads"]
            return said["labels"], said["labels_why"]
        self.addCleanup(procs.eventually, lambda: state() == (2, None))
        self.addCleanup(self.write_labels, LABELS)
        with open(self.labels, "w") as f:
            f.write("{")
        procs.eventually(lambda: state()[1], what="the bad file is noticed")
        self.assertEqual(self.ask(SHOP), (200, "cart"))
        self.write_labels({51967: LABELS[51967]})
        procs.eventually(lambda: state() == (1, None), what="the good one is taken")
        self.assertEqual(self.ask(SHOP)[0], 401)


if __name__ == "__main__":
    unittest.main()
