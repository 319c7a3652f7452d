"""
Random policies and questions in the format of vectors/policy/cases.jsonl:
everything docs/POLICY.md says is supported, and some of what is refused.
"""
import random

NAMESPACES = "shop", "ops", "default"
LABELS = {"app": "abc", "env": ("prod", "dev"), "tier": "12", "oidc:sub": ("alice", "bob")}
ENTITIES = ("all", "world", "world-ipv4", "world-ipv6", "cluster", "cluster-mesh", "host", "init",
            "ingress", "unmanaged", "remote-node", "health", "none", "kube-apiserver")
RANGES = ("10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "2001:db8::/32", "10.2.2.2", "::/0")
ADDRESSES = "10.1.2.3", "10.2.2.2", "10.9.9.9", "8.8.8.8", "2001:db8::5", "fe80::1"
PORTS = "80", "443", "8000", "8080", "0", "http", "Web"
PATHS = ("/", "/api", "/api/.*", "/p[0-9]+", r"/.*\.html", "/(a|b)/[^/]*", "/x{2,3}", "(?i)/API/x",
         r"/\w+\?q=\d", "/a.*b.*", "/api|/p1", r"/\Qa.b\E", "/(?:p)?1*")
REQUEST_PATHS = ("/", "/api", "/api/x", "/api/x?q=1", "//api", "/p", "/p1", "/p12", "/a.html", "/a/c",
                 "/b/", "/xx", "/xxxx", "/api?q=1", "/a.b", "/axb", "/1", "/p111", "/ab")


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.dense = self.often(.6)  # few ports and peers, so that L7 rules are reached

    def some(self, items, low=1, high=3):
        return self.r.sample(list(items), min(self.r.randint(low, high), len(items)))

    def often(self, chance):
        return self.r.random() < chance

    def selector(self):
        made, labels = {}, {}
        for key in self.some(LABELS, 0, 2):
            source = self.r.choice(["", "", "", "k8s:", "any:"]) if ":" not in key else ""
            labels[source + key] = self.r.choice(LABELS[key])
        if self.often(.2):
            labels[self.r.choice(["k8s:", "any:", ""]) + "io.kubernetes.pod.namespace"] = self.r.choice(NAMESPACES)
        if self.often(.08):
            labels["k8s:io.cilium.k8s.policy.cluster"] = self.r.choice(["default", "other"])
        if self.often(.04):
            labels["k8s:io.cilium.k8s.namespace.labels.team"] = "red"
        if self.often(.05):
            labels["reserved:" + self.r.choice(["host", "health", "init", "world"])] = ""
        if labels or self.often(.3):
            made["matchLabels"] = labels
        if self.often(.35):
            made["matchExpressions"] = [self.expression() for _ in range(self.r.randint(0, 2))]
        return made

    def expression(self):
        key = self.r.choice([*LABELS, "k8s:app", "missing", "k8s:io.kubernetes.pod.namespace"])
        operator = self.r.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        made = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            values = LABELS.get(key, ("a", "b", "shop", "ops"))
            made["values"] = self.some(values, 1, 2)
        return made

    def peers(self, rule):
        kind = 10 if self.dense and self.often(.3) else self.r.randrange(12)
        if self.dense and kind == 10:
            kind = 11
        if kind < 5:
            rule["fromEndpoints"] = [self.selector() for _ in range(self.r.randint(1, 2))]
        elif kind < 7:
            rule["fromEntities"] = self.some(ENTITIES, 1, 2)
        elif kind == 7:
            rule["fromCIDR"] = self.some(RANGES, 1, 2)
        elif kind == 8:
            made = {"cidr": "10.0.0.0/8"}
            if self.often(.7):
                made["except"] = self.some(["10.1.0.0/16", "10.9.0.0/16", "10.2.2.2/32"], 0, 2)
            rule["fromCIDRSet"] = [made]
        elif kind == 9:
            rule["fromNodes"] = [self.selector()]
        elif kind == 10:
            rule[self.r.choice(["fromEndpoints", "fromEntities", "fromCIDR"])] = self.r.choice([[], None])
        if self.often(.03):
            rule["fromCIDR"] = self.some(RANGES, 0, 1)

    def port(self, l7):
        made = {"port": self.r.choice(PORTS[:4] + PORTS[5:] if l7 else PORTS)}
        if self.dense and self.often(.7):
            made["port"] = self.r.choice(["80", "http"])
        if l7 or self.often(.8):
            made["protocol"] = "TCP" if l7 else self.r.choice(["TCP", "TCP", "UDP", "ANY", "SCTP"])
        if made["port"].isdigit() and self.often(.25):
            made["endPort"] = int(made["port"]) + self.r.choice([0, 10, 100])
        if l7 and self.often(.02):
            made["protocol"] = "UDP"
        return made

    def http(self):
        made = {}
        if self.often(.6):
            made["method"] = self.r.choice(["GET", "POST", "P.*", "GET|HEAD", "", "[A-Z]+"])
        if self.often(.6):
            made["path"] = self.r.choice(PATHS) if self.often(.98) else "("
        if self.often(.3):
            made["host"] = self.r.choice(["shop", r"shop\.example", "shop.*", r"shop(:\d+)?"])
        if self.often(.2):
            made["headers"] = self.some(["X-A", "X-A: 1", "x-env: prod", "X-A 1,1", "X-B"], 1, 2)
        if self.often(.2):
            made["headerMatches"] = [{"name": "X-B", "value": self.r.choice(["2", "", "3"])}]
            if self.often(.3):
                made["headerMatches"][0]["mismatch"] = self.r.choice(["LOG", "ADD", "DELETE", "REPLACE"])
        return made

    def rule(self, deny):
        rule = {}
        self.peers(rule)
        if self.often(.06):
            rule["icmps"] = [{"fields": [self.r.choice([
                {"type": 8}, {"family": "IPv4", "type": "EchoRequest"}, {"family": "IPv6", "type": 128}])]}]
        elif self.often(.7):
            rule["toPorts"] = []
            for _ in range(self.r.randint(0, 2)):
                l7 = not deny and self.often(.9 if self.dense else .5)
                to = {"ports": [self.port(l7) for _ in range(self.r.randint(1, 2))]}
                if l7:
                    to["rules"] = {"http": [self.http() for _ in range(self.r.randint(1, 3))]}
                rule["toPorts"].append(to)
        return rule

    def spec(self, wide):
        made = {"nodeSelector" if wide and self.often(.05) else "endpointSelector":
                self.selector() if self.often(.2 if self.dense else .5) else self.r.choice([{}, {}, {}, {"matchLabels": {"app": "a"}}])}
        if self.often(.85):
            made["ingress"] = [self.rule(False) for _ in range(self.r.randint(0, 3))]
        if self.often(.4):
            made["ingressDeny"] = [] if self.dense and self.often(.7) else [self.rule(True) for _ in range(self.r.randint(0, 2))]
        if "nodeSelector" in made:
            for rule in made.get("ingress", []):
                rule.pop("toPorts", None)
        if self.often(.15):
            made["enableDefaultDeny"] = {"ingress": self.often(.3)}
        if self.often(.1):
            made["egress"] = [{"toEndpoints": [{}]}]
        return made

    def policy(self, i):
        wide = self.often(.3)
        made = {"apiVersion": "cilium.io/v2",
                "kind": "CiliumClusterwideNetworkPolicy" if wide else "CiliumNetworkPolicy",
                "metadata": {"name": f"p{i}"}}
        if not wide and self.often(.9):
            made["metadata"]["namespace"] = self.r.choice(NAMESPACES)
        if self.often(.85):
            made["spec"] = self.spec(wide)
        if "spec" not in made or self.often(.05):
            made["specs"] = [self.spec(wide) for _ in range(self.r.randint(1, 2))]
        return made

    def labels(self, lone=.9):
        made = []
        for key in self.some(LABELS, 0, 3):
            made.append(f"{key if ':' in key else 'k8s:' + key}={self.r.choice(LABELS[key])}")
        if self.often(.9):
            made.append(f"k8s:io.kubernetes.pod.namespace={self.r.choice(NAMESPACES)}")
        if self.often(lone):
            made.append(f"k8s:io.cilium.k8s.policy.cluster={'default' if self.often(.95) else 'other'}")
        if self.often(.05):
            made.append("k8s:io.cilium.k8s.namespace.labels.team=red")
        return made

    def case(self, i):
        made = {"id": i, "dst": self.labels(), "proto": self.r.choice(["TCP"] * 8 + ["UDP", "SCTP", "ICMP", "ICMPv6"])}
        made["port"] = self.r.choice([8, 128, 0]) if made["proto"].startswith("ICMP") else \
            80 if self.dense and self.often(.6) else self.r.choice([80, 80, 443, 8000, 8005, 8080, 8100, 1])
        if self.often(.03):
            made["dst"] = self.some(["reserved:host", "reserved:init", "k8s:app=a"], 1, 2)
        who = self.r.random()
        if who < .2:
            made["src_cidr"] = self.r.choice(ADDRESSES)
        elif who < .32:
            made["src"] = ["reserved:" + self.r.choice(ENTITIES[1:4] + ENTITIES[6:])]
            if self.often(.3):
                made["src"].append("k8s:io.cilium.k8s.policy.cluster=default")
        else:
            made["src"] = self.labels(.85)
        if self.often(.5):
            made["named_ports"] = {"http": self.r.choice([80, 8080]), "web": 8000}
        if made["proto"] == "TCP" and self.often(.9):
            made["http"] = {"method": self.r.choice(["GET", "POST", "HEAD", "PUT", "get"]),
                            "path": self.r.choice(REQUEST_PATHS),
                            "host": self.r.choice(["shop", "shop.example", "shop:80"]),
                            "headers": self.r.choice([{}, {"X-A": ["1"]}, {"x-a": ["1", "1"]}, {"X-B": ["2"]},
                                                      {"X-Env": ["prod"], "x-b": ["3"]}])}
        return made


def line(seed, cases=40):
    maker = Maker(seed)
    return {"seed": seed, "policies": [maker.policy(i) for i in range(maker.r.randint(1, 5))],
            "cases": [maker.case(i) for i in range(cases)]}
