#!/usr/bin/env python3
"""
identityctl policy check, diff and simulate: what they print, and how they end.

  tests/policy/tools.py IDENTITYCTL
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

CONFIG = """\
version: 1
listen: [{tcp: "127.0.0.1:9909"}]
providers: [{name: corp, issuer: "https://idp.example.com", audiences: [api]}]
roles:
  - {name: admin, when: [{claim: a, equals: b}], labels: [role=admin]}
  - {name: user, labels: [role=user]}
services:
  - {name: be_web, namespace: shop, labels: [app=web], port: 8080, ports: [9090]}
  - {name: be_open, port: 80}
"""

POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
"""


def rule(role, ports="", http=""):
    """One entry; http is a list of HTTP rules as YAML."""
    made = "  - fromEndpoints: [{matchLabels: {role: %s, k8s:io.kubernetes.pod.namespace: identity-edge}}]\n" % role
    if ports:
        rules = f", rules: {{http: {http}}}" if http else ""
        made += f"    toPorts: [{{ports: [{{port: '{ports}', protocol: TCP}}]{rules}}}]\n"
    return made


def flow(verdict, role, path, method="GET", route="be_web", reason=None, **more):
    """A line of the audit log with the fields that are read."""
    headers = [("X-Identityd-Role", role), ("X-Identityd-Route", route), ("X-Identityd-Reason", reason)]
    return {"flow": {
        "verdict": verdict, "l4": {"TCP": {"source_port": 1, "destination_port": 443}},
        "source": {"identity": 256, "labels": [
            f"k8s:role={role}", "k8s:io.kubernetes.pod.namespace=identity-edge",
            "k8s:io.cilium.k8s.policy.cluster=default"]},
        "l7": {"type": "REQUEST", "http": {
            "method": method, "url": f"https://shop.example{path}",
            "headers": [{"key": k, "value": v} for k, v in headers if v]}}, **more}}


class Tools(unittest.TestCase):
    identityctl = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("conf.yaml", CONFIG)

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as f:
            f.write(text)

    def run_it(self, *argv):
        return subprocess.run([self.identityctl, "policy", *argv], cwd=self.folder.name, check=False,
                              capture_output=True, text=True, timeout=60)

    def changes(self, before, after):
        self.write("old.yaml", POLICY + before)
        self.write("new.yaml", POLICY + after)
        done = self.run_it("diff", "--config", "conf.yaml", "-o", "json", "old.yaml", "new.yaml")
        found = [(c["identity"], c["service"], c["port"], c["change"], c["what"])
                 for c in json.loads(done.stdout)]
        self.assertEqual(done.returncode, 1 if found else 0, done.stderr)
        return found

    def test_check(self):
        """Good files end with 0, mistakes with 1 and FILE:LINE:COLUMN, usage with 2."""
        self.write("good.yaml", POLICY + rule("admin"))
        self.write("bad.yaml", POLICY + rule("admin") + "    other: 1\n")
        self.assertEqual(self.run_it("check", "good.yaml").returncode, 0)
        done = self.run_it("check", "bad.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "bad.yaml:8:5: spec.ingress[0].other: there is no such field\n")
        self.assertEqual(self.run_it("check").returncode, 2)
        self.assertEqual(self.run_it("check", "none.yaml").returncode, 1)

    def test_diff_same(self):
        """The same meaning in other words is no change."""
        self.assertEqual(self.changes(rule("admin"), rule("admin") + rule("admin", "8080")), [])

    def test_diff_l4(self):
        """Who gains and who loses all of a port."""
        self.assertEqual(self.changes(rule("admin"), rule("user", "8080")), [
            ("admin", "be_web", 8080, "loses", "everything"),
            ("admin", "be_web", 9090, "loses", "everything"),
            ("user", "be_web", 8080, "gains", "everything")])

    def test_diff_l7(self):
        """HTTP rules come and go one by one; what is left of everything is said."""
        before = rule("user", "8080", "[{method: GET, path: /a}, {path: /b}]")
        after = rule("user", "8080", "[{path: /b}, {method: PUT, path: /c, headers: ['X-A: 1']}]")
        self.assertEqual(self.changes(before, after), [
            ("user", "be_web", 8080, "loses", "GET /a"),
            ("user", "be_web", 8080, "gains", "PUT /c X-A=1")])
        self.assertEqual(self.changes(rule("user", "8080"), before), [
            ("user", "be_web", 8080, "loses", "everything"),
            ("user", "be_web", 8080, "keeps", "/b"),
            ("user", "be_web", 8080, "keeps", "GET /a")])
        self.assertEqual(self.changes(before, rule("user", "8080")), [
            ("user", "be_web", 8080, "gains", "everything")])

    def test_simulate(self):
        """Decisions are judged again; what policies had no part in is left out."""
        self.write("new.yaml", POLICY + rule("admin") + rule("user", "8080", "[{path: '/a(\\\\?.*)?'}]"))
        lines = [
            flow("FORWARDED", "admin", "/x"), flow("FORWARDED", "user", "/a"),
            flow("FORWARDED", "user", "/a?q=1"), flow("FORWARDED", "user", "/b"),
            flow("FORWARDED", "user", "/b"), flow("FORWARDED", "user", "/a/../b"),
            flow("DROPPED", "user", "/a", reason="policy_denied"),
            flow("DROPPED", "user", "/b", reason="policy_denied"),
            flow("AUDIT", "admin", "/x"), flow("DROPPED", "user", "/a", reason="no_role"),
            flow("FORWARDED", "user", "/b", route="be_open"),
            flow("FORWARDED", "user", "/b", route="be_gone"),
            flow("FORWARDED", "user", "/b", route=None, destination={"labels": [
                "k8s:app=web", "k8s:io.kubernetes.pod.namespace=shop"]},
                l4={"TCP": {"destination_port": 8080}}),
            flow("FORWARDED", "user", "/a?HUBBLE_REDACTED"),
            {"lost_events": {}}]
        self.write("log", "\n".join(json.dumps(line) for line in lines) + "\nnot json\n")
        done = self.run_it("simulate", "--config", "conf.yaml", "--audit-log", "log", "-o", "json", "new.yaml")
        self.assertEqual(done.returncode, 1, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual([said[k] for k in ("replayed", "changed", "uncertain", "skipped")], [12, 6, 1, 4])
        self.assertEqual([(c["count"], c["identity"], c["service"], c["request"], c["change"])
                          for c in said["changes"]], [
            (2, "user", "be_web", "GET /b", "allow -> deny"),
            (1, "user", "be_web", "GET /a/../b", "allow -> deny"),
            (1, "user", "be_web", "GET /a", "deny -> allow"),
            (1, "admin", "be_web", "GET /x", "deny -> allow"),
            (1, "user", "", "GET /b", "allow -> deny")])
        self.assertEqual(said["changes"][0]["decided_by"], "shop/web:ingress[1].toPorts[0]")

    def test_simulate_same(self):
        """Nothing changes: 0."""
        self.write("new.yaml", POLICY + rule("admin"))
        self.write("log", json.dumps(flow("FORWARDED", "admin", "/x")) + "\n")
        done = self.run_it("simulate", "--config", "conf.yaml", "--audit-log", "log", "new.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("1 decisions judged again, 0 would change"))

    def test_batch(self):
        """A refused policy is left out and said; a broken line or case does not end the rest."""
        bad = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "x"},
               "spec": {"endpointSelector": {}, "ingress": [{"toPorts": [{"ports": [
                   {"port": "80", "protocol": "UDP"}], "rules": {"http": [{}]}}]}]}}
        case = {"id": 7, "src": ["k8s:a=b"], "dst": ["k8s:c=d"], "proto": "TCP", "port": 80}
        self.write("q", "{\n" + json.dumps({"seed": 1, "policies": [bad], "cases": [case, {"proto": "x"}]}) + "\n")
        done = self.run_it("explain", "--batch", "q")
        self.assertEqual(done.returncode, 1)
        self.assertIn("policies[0] is refused: spec.ingress[0].toPorts[0].rules: L7", done.stderr)
        answers = json.loads(done.stdout)["cases"]
        self.assertEqual(answers[0], {**case, "expect": "allow", "l4": "allow"})
        self.assertEqual(answers[1]["error"], "not a question")


if __name__ == "__main__":
    Tools.identityctl = os.path.abspath(sys.argv.pop(1))
    result = unittest.main(exit=False).result
    print(f"100%: Checks: {result.testsRun}, Failures: {len(result.failures)}, Errors: {len(result.errors)}")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
