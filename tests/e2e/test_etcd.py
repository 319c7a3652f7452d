"""Agents that share numbers and revocations through a real etcd with TLS (docs/CILIUM.md)."""
import json
import os
import urllib.request

import harness
import procs
from etcd import Etcd
from harness import LabCase
from test_identities import Authority

IDS = "cilium/state/identities/v1/id/"
VALUES = "cilium/state/identities/v1/value/"
LOCKS = "cilium/state/identities/v1/locks/"
REVOKED = "identityd/v1/revocations/"

ROLES = """\
  - {name: admin, provider: corp, when: [{claim: [roles], any: [admin]}], \
labels: ["k8s:role=admin"], route: be_admin, srcaddr: 10.9.9.7}
  - {name: reader, provider: corp, when: [{claim: scope, any: [read]}], \
labels: ["k8s:role=reader"], route: be_reader}
  - {name: team, provider: corp, when: [{claim: team, any: [red]}], \
labels: ["team={claims.team}"], route: be_reader}
"""

# The agent whose way to etcd is cut lives in a network namespace of its own.
NETNS, THERE, HERE = "identityd-etcd-{}", "10.251.{}.2", "10.251.{}.1"


class SharedEtcd(LabCase):
    """Two agents, b behind a cable that can be pulled, and one etcd."""

    asks_haproxy = False
    mode = "lease: 2s, settle: 300ms, timeout: 1s"
    more = "identity: {unused: 2s}\nworkloads: {ranges: [10.77.0.0/16], ipcache: /run/nothing-here}\n"

    @classmethod
    def make(cls):
        number = os.getpid() % 250
        cls.netns, cls.cable = NETNS.format(number), f"ie{number}"
        cls.here, cls.there = HERE.format(number), THERE.format(number)
        cls.plug_in()
        authority = Authority(cls.lab.dir, "ca")
        server = authority.issue("server", f"IP:127.0.0.1,IP:{cls.here}")
        cls.client = authority.issue("client", "DNS:identityd")
        for path in cls.client, authority.path:
            os.chmod(path, 0o644)
        cls.authority = authority
        cls.etcd = Etcd(cls.lab, authority, server, cls.client, cls.here)
        cls.a, cls.b = cls.agent_of("a"), cls.agent_of("b")
        cls.lab.haproxy("unix@" + cls.b.unix)
        cls.lab.until(200, token=cls.provider.token())

    @classmethod
    def plug_in(cls):
        for argv in (f"ip netns add {cls.netns}",
                     f"ip link add {cls.cable} type veth peer name plug netns {cls.netns}",
                     f"ip addr add {cls.here}/30 dev {cls.cable}", f"ip link set {cls.cable} up",
                     f"ip -n {cls.netns} addr add {cls.there}/30 dev plug",
                     f"ip -n {cls.netns} link set plug up", f"ip -n {cls.netns} link set lo up"):
            harness.run(*argv.split())
        cls.addClassCleanup(harness.run, "ip", "netns", "del", cls.netns, check=False)
        cls.addClassCleanup(harness.run, "ip", "link", "del", cls.cable, check=False)

    @classmethod
    def agent_of(cls, name):
        agent = cls.lab.agent(name, bpf="off", setup=False, start=False, roles=ROLES,
                              more=cls.more + f"etcd: {{endpoints: {cls.etcd.url}, node: {name}, "
                              f"ca_file: {cls.authority.path}, cert_file: {cls.client}, "
                              f"key_file: {cls.client}, {cls.mode}}}")
        # Its HTTP to the provider on 127.0.0.1 is not what is cut: keys come from a file then.
        if name == "b":
            with open(agent.config) as f:
                text = f.read()
            keys = os.path.join(cls.lab.dir, "keys.json")
            with open(keys, "w") as f:
                json.dump(cls.jwks(), f)
            agent.configure(text.replace("refresh: 10m", f"jwks_file: {keys}"))
        cls.start(agent)
        return agent

    @classmethod
    def jwks(cls):
        with urllib.request.urlopen(
                f"{cls.provider.issuer}/.well-known/openid-configuration", timeout=5) as answer:
            uri = json.load(answer)["jwks_uri"]
        with urllib.request.urlopen(uri, timeout=5) as answer:
            return json.load(answer)

    @classmethod
    def start(cls, agent):
        start = cls.lab.start
        if agent.name == "b":
            cls.lab.start = lambda name, argv, **how: start(
                name, ["ip", "netns", "exec", cls.netns, *argv], **how)
        try:
            agent.launch()
        finally:
            cls.lab.start = start
        procs.eventually(lambda: procs.connects(agent.admin) and procs.connects(agent.unix), 15,
                         what=f"{agent.name} accepts")

    @staticmethod
    def numbers(agent):
        """{role: (number, may it be marked)} of those that etcd vouches for."""
        return {i["role"]: (i["id"], i["realised"]) for i in agent.status()["identities"]
                if i["provenance"] == "etcd"}

    def settled(self, *agents):
        """The numbers that all of these have, once they may be marked."""
        def same():
            found = [self.numbers(agent) for agent in agents]
            return len(found[0]) == 2 and all(f == found[0] for f in found) and \
                all(realised for _, realised in found[0].values()) and found[0]
        return procs.eventually(same, 30, every=0.1, what="the same numbers, realised")

    def at_rest(self, numbers):
        """What etcd has: each number with its labels, each label set once, no lock."""
        ids = self.etcd.all(IDS)
        self.assertEqual({f"{IDS}{n}" for n, _ in numbers.values()}, set(ids))
        self.assertEqual(len(set(ids.values())), len(ids))
        procs.eventually(lambda: not self.etcd.all(LOCKS), 30, what="no lock is left")

    def test_same(self):
        """Cilium's keys, byte for byte, before any request; the same number for both agents."""
        numbers = self.settled(self.a, self.b)
        self.at_rest(numbers)
        labels = "k8s:io.cilium.k8s.policy.cluster=default;" \
            "k8s:io.kubernetes.pod.namespace=identity-edge;k8s:role=admin;"
        found = self.etcd.get(f"{IDS}{numbers['admin'][0]}")
        self.assertEqual(found, labels)
        for node in "a", "b":
            self.assertEqual(self.etcd.get(f"{VALUES}{labels}/{node}"), str(numbers["admin"][0]))
        address = json.dumps({"IP": "10.9.9.7", "HostIP": "", "ID": numbers["admin"][0], "Key": 0,
                              "Metadata": ""}, separators=(",", ":"))
        procs.eventually(lambda: self.etcd.get("cilium/state/ip/v1/default/10.9.9.7") == address,
                         what="the role's source address")
        self.assertEqual(self.a.status()["etcd"]["state"], "up")
        self.assertEqual(self.a.metric("identityd_etcd_up"), 1)
        self.assertIn("etcd           up at", harness.run(
            harness.CTL, "status", "--socket", self.a.admin, check=False).stdout)

    def test_kill(self):
        """kill -9 of one agent; its uses end with its lease; it comes back to its numbers."""
        numbers = self.settled(self.a, self.b)
        self.a.process.kill()
        procs.eventually(lambda: not [k for k in self.etcd.all(VALUES) if k.endswith("/a")], 30,
                         what="the lease has ended")
        self.start(self.a)
        self.assertEqual(self.settled(self.a, self.b), numbers)
        self.at_rest(numbers)

    def test_cut(self):
        """A cut network: known identities go on, unmarked, past the end of the lease; then all is one again."""
        numbers = self.settled(self.a, self.b)
        token = self.provider.token()
        harness.run("ip", "-n", self.netns, "link", "set", "plug", "down")
        procs.eventually(lambda: not any(r for _, r in self.numbers(self.b).values()), 30,
                         what="b marks nothing any more")
        self.assertEqual({r: n for r, (n, _) in self.numbers(self.b).items()},
                         {r: n for r, (n, _) in numbers.items()})
        self.assertEqual(self.lab.get(token=token).status, 200)
        procs.eventually(lambda: self.b.status()["etcd"]["state"] == "away", 10, what="away")
        procs.eventually(lambda: not [k for k in self.etcd.all(VALUES) if k.endswith("/b")], 30,
                         what="b's lease has ended")
        harness.run("ip", "-n", self.netns, "link", "set", "plug", "up")
        self.assertEqual(self.settled(self.a, self.b), numbers)
        self.at_rest(numbers)

    def test_away(self):
        """Without etcd an agent that starts knows its numbers, and marks none; a revocation is pushed later."""
        numbers = self.settled(self.a, self.b)
        self.a.process.stop()
        self.etcd.kill()
        self.start(self.a)
        self.assertEqual(self.numbers(self.a),
                         {role: (number, False) for role, (number, _) in numbers.items()})
        harness.run(harness.CTL, "revoke", "add", "--socket", self.a.admin, "--sub", "mallory")
        token = self.provider.sign(sub="mallory", roles=["admin"])
        self.assertEqual(self.lab.get(token=token).status, 200)
        self.etcd.start()
        procs.eventually(lambda: self.lab.get(token=token).status == 401, 30,
                         what="b knows the revocation")
        self.assertEqual(self.settled(self.a, self.b), numbers)
        self.at_rest(numbers)

    def test_given_up(self):
        """What nobody uses is withdrawn from etcd; it comes back with its number, to its role."""
        def teams():
            return [i for i in self.b.status()["identities"] if i["role"] == "team"]

        def uses():
            return {k: v for k, v in self.etcd.all(VALUES).items() if "k8s:team=red;" in k}
        self.settled(self.a, self.b)
        found = []
        for _ in range(2):
            self.lab.until(200, token=self.provider.sign(sub="ted", roles=[], scope="", team="red"))
            procs.eventually(lambda: teams() and teams()[0]["realised"], 30, what="realised")
            found.append((teams()[0]["id"], list(uses().values())))
            procs.eventually(lambda: not uses() and not teams(), 30, what="given up")
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0][1], [str(found[0][0])])
        self.etcd.delete(f"{IDS}{found[0][0]}")

    def test_revoked(self):
        """What is revoked at one agent is revoked at the other, and so is taking it back."""
        token = self.provider.sign(sub="trudy", roles=["admin"])
        self.assertEqual(self.lab.get(token=token).status, 200)
        done = harness.run(harness.CTL, "revoke", "add", "--socket", self.a.admin, "--sub", "trudy")
        procs.eventually(lambda: self.lab.get(token=token).status == 401, 10, what="revoked at b")
        self.assertTrue(self.etcd.all(REVOKED))
        harness.run(harness.CTL, "revoke", "remove", done.stdout.split()[2].rstrip(","),
                    "--socket", self.a.admin)
        procs.eventually(lambda: self.lab.get(token=token).status == 200, 10, what="taken back at b")

    def test_labels_of_pods(self):
        """What Cilium writes about a pod's number is known to who looks into its ipcache, and forgotten."""
        def known():
            return self.a.status()["workloads"]["labels"]
        self.settled(self.a, self.b)
        procs.eventually(lambda: known() == 2, what="the roles' own numbers")
        self.etcd.put(f"{IDS}51966", "k8s:app=cart;k8s:io.kubernetes.pod.namespace=shop;")
        procs.eventually(lambda: known() == 3, what="the pod's number")
        self.etcd.delete(f"{IDS}51966")
        procs.eventually(lambda: known() == 2, what="it is forgotten")

    def test_strange(self):
        """Malformed keys and another cluster's numbers are skipped and counted, never trusted."""
        before = self.a.metric("identityd_etcd_skipped_total")
        self.etcd.put(f"{IDS}x", "k8s:a=b;")
        self.etcd.put(f"{IDS}70001", "k8s:a=b;")
        self.etcd.put(f"{IDS}300", "nonsense")
        self.etcd.put(f"{REVOKED}zz", '{"sub": "reader"}')
        procs.eventually(
            lambda: self.a.metric("identityd_etcd_skipped_total") == before + 3, what="skipped")
        procs.eventually(lambda: self.a.status()["etcd"]["revocations"]["malformed"] >= 1,
                         what="counted")
        for key in f"{IDS}x", f"{IDS}70001", f"{IDS}300", f"{REVOKED}zz":
            self.etcd.delete(key)
        self.assertEqual(self.lab.get(token=self.provider.token("reader")).status, 200)


class MeshEtcd(SharedEtcd):
    """The etcd is a cluster of its own: its configuration, heartbeat, range, and the end of it all."""

    mode = "lease: 2s, settle: 300ms, timeout: 1s, mode: clustermesh, cluster_id: 5"
    more = "identity: {cluster: lbfarm}\n"

    def test_same(self):
        numbers = self.settled(self.a, self.b)
        self.at_rest(numbers)
        for number, _ in numbers.values():
            self.assertTrue(5 << 16 | 256 <= number <= 5 << 16 | 65535)
            self.assertIn("k8s:io.cilium.k8s.policy.cluster=lbfarm;", self.etcd.get(f"{IDS}{number}"))
        config = json.loads(self.etcd.get("cilium/cluster-config/lbfarm"))
        self.assertEqual(config, {"id": 5, "capabilities": {"maxConnectedClusters": 255}})
        self.assertRegex(self.etcd.get("cilium/.heartbeat"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_end(self):
        """Agents that end take back what they said; numbers keep their labels."""
        numbers = self.settled(self.a, self.b)
        for agent in self.a, self.b:
            agent.process.stop()
        procs.eventually(lambda: not self.etcd.all("cilium/cluster-config/")
                         and not self.etcd.all("cilium/state/ip/"), 10, what="withdrawn")
        self.at_rest(numbers)
        for agent in self.a, self.b:
            self.start(agent)
        self.assertEqual(self.settled(self.a, self.b), numbers)

    test_kill = test_cut = test_away = test_revoked = test_strange = test_labels_of_pods = None
    test_given_up = None
