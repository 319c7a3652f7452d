"""
What Cilium's documentation shows by example, as cases of our own: one entry
for each of its examples/policies files and connectivity manifests that concern
ingress (reference: cilium Documentation/security/policy, deny.rst).

Each entry: title, policies, [(source, destination, port or request, expected)].
"""
ALLOW, DENY = "allow", "deny"
NS = "k8s:io.kubernetes.pod.namespace="
LOCAL = "k8s:io.cilium.k8s.policy.cluster=default"


def cnp(spec, namespace="default", kind="CiliumNetworkPolicy", **more):
    metadata = {"name": "rule", **({"namespace": namespace} if kind == "CiliumNetworkPolicy" else {})}
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": spec, **more}


def ccnp(spec):
    return cnp(spec, kind="CiliumClusterwideNetworkPolicy")


def pod(labels, namespace="default", cluster=LOCAL):
    return [*(f"k8s:{label}" for label in labels.split()), NS + namespace, *([cluster] if cluster else [])]


def tcp(*ports, **more):
    return {"ports": [{"port": str(port), "protocol": "TCP", **more} for port in ports]}


def get(path, method="GET", host="h", **headers):
    return {"method": method, "path": path, "host": host,
            "headers": {name.replace("_", "-"): [value] for name, value in headers.items()}}


def select(labels):
    return {"matchLabels": dict(label.split("=") for label in labels.split())}


BACKEND = select("role=backend")
EXAMPLES = [
    ("l3/simple", [cnp({"endpointSelector": BACKEND, "ingress": [{"fromEndpoints": [select("role=frontend")]}]})], [
        (pod("role=frontend"), pod("role=backend"), 80, ALLOW),
        (pod("role=other"), pod("role=backend"), 80, DENY),
        (pod("role=frontend", "elsewhere"), pod("role=backend"), 80, DENY),
        (pod("role=frontend"), pod("role=backend", "elsewhere"), 80, ALLOW),
        (["reserved:world"], pod("role=backend"), 80, DENY)]),
    ("l3/ingress-allow-all", [cnp({"endpointSelector": select("role=victim"), "ingress": [{"fromEndpoints": [{}]}]})], [
        (pod("a=b"), pod("role=victim"), 80, ALLOW),
        (pod("a=b", "elsewhere"), pod("role=victim"), 80, DENY),
        (["reserved:world"], pod("role=victim"), 80, DENY)]),
    ("l3 default deny: [{}]", [cnp({"endpointSelector": select("role=restricted"), "ingress": [{}]})], [
        (pod("a=b"), pod("role=restricted"), 80, DENY),
        (pod("a=b"), pod("role=free"), 80, ALLOW)]),
    ("l3 empty list: nobody", [cnp({"endpointSelector": {}, "ingress": [{"fromEndpoints": []}]})], [
        (pod("a=b"), pod("c=d"), 80, DENY)]),
    ("l4 without peers: anybody", [cnp({"endpointSelector": {}, "ingress": [{"toPorts": [tcp(80)]}]})], [
        (pod("a=b", "elsewhere", None), pod("c=d"), 80, ALLOW),
        (["reserved:world"], pod("c=d"), 80, ALLOW),
        (["reserved:world"], pod("c=d"), 81, DENY)]),
    ("l3/match-expressions/or-statement", [cnp({"endpointSelector": {}, "ingress": [{"fromEndpoints": [
        {"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "In",
                               "values": ["production", "staging"]}]}]}]})], [
        (pod("a=b", "production"), pod("c=d"), 80, ALLOW),
        (pod("a=b", "staging"), pod("c=d"), 80, ALLOW),
        (pod("a=b", "default"), pod("c=d"), 80, DENY)]),
    ("l3/match-expressions/and-statement", [ccnp({"endpointSelector": {}, "ingress": [{"fromEndpoints": [
        {"matchExpressions": [
            {"key": "k8s:io.kubernetes.pod.namespace", "operator": "In", "values": ["production"]},
            {"key": "k8s:cluster_name", "operator": "In", "values": ["c1", "c2"]}]}]}]})], [
        (pod("cluster_name=c1", "production"), pod("c=d"), 80, ALLOW),
        (pod("cluster_name=c3", "production"), pod("c=d"), 80, DENY),
        (pod("cluster_name=c1", "staging"), pod("c=d"), 80, DENY)]),
    ("NotIn holds when the key is missing", [cnp({"endpointSelector": {}, "ingress": [{"fromEndpoints": [
        {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["dev"]}]}]}]})], [
        (pod("env=prod"), pod("c=d"), 80, ALLOW),
        (pod("a=b"), pod("c=d"), 80, ALLOW),
        (pod("env=dev"), pod("c=d"), 80, DENY)]),
    ("l3/entities/host", [cnp({"endpointSelector": select("env=dev"), "ingress": [{"fromEntities": ["host"]}]})], [
        (["reserved:host"], pod("env=dev"), 80, ALLOW),
        (["reserved:remote-node"], pod("env=dev"), 80, DENY)]),
    ("l3/entities/nodes", [cnp({"endpointSelector": select("env=dev"),
                                "ingress": [{"fromEntities": ["host", "remote-node"]}]})], [
        (["reserved:remote-node"], pod("env=dev"), 80, ALLOW),
        (["reserved:world"], pod("env=dev"), 80, DENY)]),
    ("l3/entities/world", [cnp({"endpointSelector": select("role=public"), "ingress": [{"fromEntities": ["world"]}]})], [
        (["reserved:world"], pod("role=public"), 80, ALLOW),
        ("198.51.100.7", pod("role=public"), 80, ALLOW),
        (pod("a=b"), pod("role=public"), 80, DENY)]),
    ("l3/entities/from_world_deny", [ccnp({"endpointSelector": {}, "ingress": [{"fromEntities": ["all"]}],
                                           "ingressDeny": [{"fromEntities": ["world"]}]})], [
        (["reserved:world"], pod("a=b"), 80, DENY),
        (pod("a=b"), pod("a=b"), 80, ALLOW)]),
    ("entity cluster knows members without a cluster label", [cnp({"endpointSelector": {}, "ingress": [
        {"fromEntities": ["cluster"]}]})], [
        (pod("a=b", "x", None), pod("c=d"), 80, ALLOW),
        (pod("a=b", "x", "k8s:io.cilium.k8s.policy.cluster=other"), pod("c=d"), 80, DENY),
        (["reserved:health"], pod("c=d"), 80, ALLOW)]),
    ("l3/cidr", [cnp({"endpointSelector": select("app=svc"), "ingress": [
        {"fromCIDR": ["20.1.1.1/32"]}, {"fromCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.96.0.0/12"]}]}]})], [
        ("20.1.1.1", pod("app=svc"), 80, ALLOW),
        ("10.1.1.1", pod("app=svc"), 80, ALLOW),
        ("10.96.0.1", pod("app=svc"), 80, DENY),
        ("10.111.255.255", pod("app=svc"), 80, DENY),
        (pod("app=x"), pod("app=svc"), 80, DENY)]),
    ("l4/l4_port_range", [cnp({"endpointSelector": select("app=svc"), "ingress": [
        {"toPorts": [tcp(80, endPort=444)]}]})], [
        (pod("a=b"), pod("app=svc"), 80, ALLOW),
        (pod("a=b"), pod("app=svc"), 444, ALLOW),
        (pod("a=b"), pod("app=svc"), 445, DENY)]),
    ("l4/l3_l4_combined", [cnp({"endpointSelector": BACKEND, "ingress": [
        {"fromEndpoints": [select("role=frontend")], "toPorts": [tcp(80)]}]})], [
        (pod("role=frontend"), pod("role=backend"), 80, ALLOW),
        (pod("role=frontend"), pod("role=backend"), 81, DENY),
        (pod("role=x"), pod("role=backend"), 80, DENY)]),
    ("l4/from_init", [ccnp({"endpointSelector": {"matchLabels": {"reserved:init": ""}},
                            "ingress": [{"fromEntities": ["host"]}, {"fromEndpoints": [select("app=a")]}]})], [
        (["reserved:host"], ["reserved:init"], 80, ALLOW),
        (["k8s:app=a", LOCAL], ["reserved:init"], 80, ALLOW),  # no namespace is demanded then
        (["reserved:world"], ["reserved:init"], 80, DENY)]),
    ("l7/http/simple", [cnp({"endpointSelector": select("app=service"), "ingress": [
        {"fromEndpoints": [select("env=prod")], "toPorts": [
            {**tcp(80), "rules": {"http": [{"method": "GET", "path": "/public"}]}}]}]})], [
        (pod("env=prod"), pod("app=service"), get("/public"), ALLOW),
        (pod("env=prod"), pod("app=service"), get("/public?x=1"), DENY),
        (pod("env=prod"), pod("app=service"), get("/public", "POST"), DENY),
        (pod("env=prod"), pod("app=service"), get("/private"), DENY),
        (pod("env=dev"), pod("app=service"), get("/public"), DENY)]),
    ("l7/http/http", [cnp({"endpointSelector": select("app=myService"), "ingress": [{"toPorts": [
        {**tcp(80), "rules": {"http": [
            {"method": "GET", "path": "/path1$"},
            {"method": "PUT", "path": "/path2$", "headers": ["X-My-Header: true"]}]}}]}]})], [
        (pod("a=b"), pod("app=myService"), get("/path1"), ALLOW),
        (pod("a=b"), pod("app=myService"), get("/path1/"), DENY),
        (pod("a=b"), pod("app=myService"), get("/path2", "PUT", x_my_header="true"), ALLOW),
        (pod("a=b"), pod("app=myService"), get("/path2", "PUT", x_my_header="false"), DENY),
        (pod("a=b"), pod("app=myService"), get("/path2", "PUT"), DENY)]),
    ("connectivity: echo-ingress-l7-http", [cnp({"endpointSelector": select("kind=echo"), "ingress": [
        {"fromEndpoints": [select("other=client")], "toPorts": [{**tcp(8080), "rules": {"http": [
            {"method": "GET", "path": "/$"}, {"method": "GET", "path": "/public$"},
            {"method": "GET", "path": "/private$", "headers": ["X-Very-Secret-Token: 42"]}]}}]}]})], [
        (pod("other=client"), pod("kind=echo"), (8080, get("/")), ALLOW),
        (pod("other=client"), pod("kind=echo"), (8080, get("/private")), DENY),
        (pod("other=client"), pod("kind=echo"), (8080, get("/private", x_very_secret_token="42")), ALLOW)]),
    ("connectivity: named port", [cnp({"endpointSelector": select("kind=echo"), "ingress": [{"toPorts": [
        {"ports": [{"port": "http-8080", "protocol": "TCP"}], "rules": {"http": [{"method": "GET"}]}}]}]})], [
        (pod("a=b"), pod("kind=echo"), (8080, get("/")), ALLOW),
        (pod("a=b"), pod("kind=echo"), (8080, get("/", "PUT")), DENY),
        (pod("a=b"), pod("kind=echo"), (8081, get("/")), DENY)]),
    ("connectivity: echo-ingress-from-other-client-deny", [cnp({"endpointSelector": select("kind=echo"),
        "ingress": [{"fromEntities": ["all"]}], "ingressDeny": [
            {"fromEndpoints": [select("other=client")], "toPorts": [tcp(8080)]}]})], [
        (pod("other=client"), pod("kind=echo"), 8080, DENY),
        (pod("other=client"), pod("kind=echo"), 8081, ALLOW),
        (pod("a=b"), pod("kind=echo"), 8080, ALLOW)]),
    ("deny.rst: deny beats a more specific allow", [
        cnp({"endpointSelector": BACKEND, "ingress": [{"fromEndpoints": [select("role=frontend app=x")],
                                                       "toPorts": [tcp(80)]}]}),
        ccnp({"endpointSelector": {}, "ingressDeny": [{"fromEndpoints": [select("role=frontend")]}]})], [
        (pod("role=frontend app=x"), pod("role=backend"), 80, DENY)]),
    ("deny.rst: a deny section alone still refuses the rest", [
        cnp({"endpointSelector": BACKEND, "ingressDeny": [{"fromEntities": ["world"]}]})], [
        (pod("a=b"), pod("role=backend"), 80, DENY)]),
    ("enableDefaultDeny false: only what is denied is denied", [
        cnp({"endpointSelector": BACKEND, "enableDefaultDeny": {"ingress": False},
             "ingressDeny": [{"fromEntities": ["world"]}]})], [
        (pod("a=b"), pod("role=backend"), 80, ALLOW),
        (["reserved:world"], pod("role=backend"), 80, DENY)]),
    ("L4 rules without HTTP lift L7 rules of the same port", [
        cnp({"endpointSelector": BACKEND, "ingress": [
            {"fromEndpoints": [{}], "toPorts": [{**tcp(80), "rules": {"http": [{"path": "/a"}]}}]},
            {"fromEndpoints": [select("a=b")], "toPorts": [tcp(80)]}]})], [
        (pod("a=b"), pod("role=backend"), get("/x"), ALLOW),
        (pod("a=c"), pod("role=backend"), get("/x"), DENY)]),
    ("kubernetes/namespace/namespace-policy", [
        cnp({"endpointSelector": {}, "ingress": [{"fromEndpoints": [
            {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "ns1", "name": "luke"}}]}]}, "ns2")], [
        (pod("name=luke", "ns1"), pod("c=d", "ns2"), 80, ALLOW),
        (pod("name=luke", "ns2"), pod("c=d", "ns2"), 80, DENY)]),
    ("kubernetes/namespace/namespace-labels-policy", [
        cnp({"endpointSelector": {}, "ingress": [{"fromEndpoints": [
            {"matchLabels": {"k8s:io.cilium.k8s.namespace.labels.team": "red"}}]}]})], [
        ([*pod("a=b", "x"), "k8s:io.cilium.k8s.namespace.labels.team=red"], pod("c=d"), 80, ALLOW),
        (pod("a=b"), pod("c=d"), 80, DENY)]),
    ("kubernetes/clustermesh/cross-cluster-policy", [
        cnp({"endpointSelector": {}, "ingress": [{"fromEndpoints": [
            {"matchLabels": {"name": "x-wing", "io.cilium.k8s.policy.cluster": "cluster1"}}]}]})], [
        (pod("name=x-wing", cluster="k8s:io.cilium.k8s.policy.cluster=cluster1"), pod("c=d"), 80, ALLOW),
        (pod("name=x-wing"), pod("c=d"), 80, DENY)]),
    ("kubernetes/clusterwide/wildcard-from-endpoints", [
        ccnp({"endpointSelector": {"matchLabels": {"name": "leia"}}, "ingress": [
            {"fromEndpoints": [{}], "toPorts": [tcp(80)]}]})], [
        (pod("a=b", "anywhere"), pod("name=leia", "here"), 80, ALLOW),
        (["reserved:world"], pod("name=leia", "here"), 80, DENY),
        (["k8s:a=b", LOCAL], pod("name=leia", "here"), 80, DENY)]),
    ("kubernetes/clusterwide/health", [
        ccnp({"endpointSelector": {"matchLabels": {"reserved:health": ""}}, "ingress": [
            {"fromEntities": ["remote-node"]}]})], [
        (["reserved:remote-node"], ["reserved:health"], 4240, ALLOW),
        (pod("a=b"), ["reserved:health"], 4240, DENY)]),
    ("sources: any matches every one, k8s only its own", [
        cnp({"endpointSelector": {}, "ingress": [
            {"fromEndpoints": [select("oidc:sub=alice")], "toPorts": [tcp(80)]},
            {"fromEndpoints": [{"matchLabels": {"k8s:sub": "alice"}}], "toPorts": [tcp(81)]},
            {"fromEndpoints": [{"matchLabels": {"sub": "alice"}}], "toPorts": [tcp(82)]}]})], [
        (["oidc:sub=alice", NS + "default", LOCAL], pod("c=d"), 80, ALLOW),
        (["oidc:sub=alice", NS + "default", LOCAL], pod("c=d"), 81, DENY),
        (["oidc:sub=alice", NS + "default", LOCAL], pod("c=d"), 82, ALLOW)]),
    ("l4/icmp", [cnp({"endpointSelector": {}, "ingress": [
        {"icmps": [{"fields": [{"type": 8}, {"family": "IPv6", "type": "EchoRequest"}]}]}]})], [
        (pod("a=b"), pod("c=d"), ("ICMP", 8), ALLOW),
        (pod("a=b"), pod("c=d"), ("ICMP", 0), DENY),
        (pod("a=b"), pod("c=d"), ("ICMPv6", 128), ALLOW),
        (pod("a=b"), pod("c=d"), 80, DENY)]),
    ("host/demo-host-policy: hosts by nodeSelector only", [
        ccnp({"nodeSelector": {"matchLabels": {"node-access": "ssh"}}, "ingress": [{"fromEntities": ["cluster"]}]})], [
        (["reserved:world"], ["reserved:host", "k8s:node-access=ssh"], 22, DENY),
        (["reserved:health"], ["reserved:host", "k8s:node-access=ssh"], 22, ALLOW),
        (["reserved:world"], pod("node-access=ssh"), 22, ALLOW)]),
]


def case(i, source, destination, what, expected):
    made = {"id": i, "dst": destination, "proto": "TCP", "port": 80, "named_ports": {"http-8080": 8080},
            "expect": expected}
    made["src_cidr" if isinstance(source, str) else "src"] = source
    for part in what if isinstance(what, tuple) else (what,):
        if isinstance(part, dict):
            made["http"] = part
        elif isinstance(part, str):
            made["proto"] = part
        else:
            made["port"] = part
    return made


def lines():
    return [{"seed": title, "policies": policies, "cases": [case(i, *q) for i, q in enumerate(questions)]}
            for title, policies, questions in EXAMPLES]
