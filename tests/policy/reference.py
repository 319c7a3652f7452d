"""
The policy engine once more: slow, obvious, and written apart from the C one.
It answers the questions of vectors/policy/cases.jsonl from docs/POLICY.md alone.
"""
import ipaddress
import re

NAMESPACE = "io.kubernetes.pod.namespace"
CLUSTER = "io.cilium.k8s.policy.cluster"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels"
LOCAL = "default"
FROM = "fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes"
OF_THE_CLUSTER = "host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"
ICMP_TYPES = {("IPv4", "EchoRequest"): 8, ("IPv4", "EchoReply"): 0, ("IPv6", "EchoRequest"): 128}


def split(text, source):
    """source:key, with a source for those that have none."""
    before, colon, after = text.partition(":")
    return (before, after) if colon else (source, text)


class Party:
    """Somebody with labels, or an address outside the cluster."""

    def __init__(self, labels, address=None):
        self.address = ipaddress.ip_address(address) if address else None
        self.labels = {}
        for text in [*labels, *(["reserved:world"] if address else [])]:
            label, _, value = text.partition("=")
            source, key = split(label, "unspec")
            self.labels[key] = (source, value)  # one for each key: the last

    def value(self, source, key):
        """The value of a label, or None."""
        has, value = self.labels.get(key, (None, None))
        return value if has is not None and source in ("any", has) else None

    def reserved(self, name):
        return self.value("reserved", name) is not None

    def is_entity(self, name):
        cluster = self.value("k8s", CLUSTER)
        if name == "all":
            return True
        if name == "world":
            return bool(self.address) or any(map(self.reserved, ("world", "world-ipv4", "world-ipv6")))
        if name in ("world-ipv4", "world-ipv6"):
            return self.reserved(name) or bool(
                self.address and self.address.version == int(name[-1]))
        if name == "cluster":
            reserved = any(source == "reserved" for source, _ in self.labels.values())
            return any(map(self.reserved, OF_THE_CLUSTER)) or cluster == LOCAL or (
                cluster is None and not reserved)
        if name == "cluster-mesh":
            return self.is_entity("cluster") or cluster is not None
        return self.reserved(name)


def requirements(selector):
    found = [(split(key, "any"), "In", [value], True)
             for key, value in (selector.get("matchLabels") or {}).items()]
    return found + [(split(e["key"], "any"), e["operator"], e.get("values") or [], False)
                    for e in selector.get("matchExpressions") or []]


def matches(wanted, party):
    for (source, key), operator, values, _ in wanted:
        value = party.value(source, key)
        holds = {"In": value is not None and value in values,
                 "NotIn": value is None or value not in values,
                 "Exists": value is not None,
                 "DoesNotExist": value is None}[operator]
        if not holds:
            return False
    return True


def mentions(wanted, key, prefix=False):
    return any(source in ("k8s", "any") and (k == key or prefix and k.startswith(key))
               for (source, k), _, _, _ in wanted)


def in_cluster(wanted):
    if not mentions(wanted, CLUSTER):
        wanted.append((("k8s", CLUSTER), "In", [LOCAL], False))
    return wanted


def peer(selector, namespace, of_init):
    wanted = requirements(selector)
    if any(source == "reserved" for (source, _), _, _, _ in wanted):
        return wanted
    if not mentions(wanted, NAMESPACE):
        if namespace is None and not of_init:
            wanted.append((("k8s", NAMESPACE), "Exists", [], False))
        elif namespace is not None and not mentions(wanted, NAMESPACE_LABELS, prefix=True):
            wanted.append((("k8s", NAMESPACE), "In", [namespace], False))
    return in_cluster(wanted)


def node_peer(selector):
    return in_cluster([*requirements(selector), (("reserved", "remote-node"), "Exists", [], False)])


def subject(spec, namespace, party):
    """Is this what the spec protects? And is it about endpoints that initialise?"""
    if "nodeSelector" in spec:
        return party.reserved("host") and matches(requirements(spec["nodeSelector"]), party), False
    wanted = requirements(spec["endpointSelector"])
    of_init = any(key == ("reserved", "init") for key, _, _, _ in wanted)
    if namespace is not None:
        wanted = [w for w in wanted if not (w[0] == ("k8s", NAMESPACE) and w[3])]
        wanted.append((("k8s", NAMESPACE), "In", [namespace], False))
    return not party.reserved("host") and matches(wanted, party), of_init


def in_range(party, text, exceptions=()):
    net = ipaddress.ip_network(text, strict=False)
    if not party.address or party.address.version != net.version or party.address not in net:
        return False
    return not any(party.address in ipaddress.ip_network(e, strict=False) for e in exceptions)


def chooses(rule, namespace, of_init, party):
    given = {name: rule[name] for name in FROM if rule.get(name) is not None}
    if any(not entries for entries in given.values()):
        return False  # there, and empty: nobody
    if not given:
        return bool(rule.get("toPorts") or rule.get("icmps"))  # {} is nobody, too
    return any([
        any(matches(peer(s, namespace, of_init), party) for s in given.get("fromEndpoints", ())),
        any(party.is_entity(e) for e in given.get("fromEntities", ())),
        any(in_range(party, c) for c in given.get("fromCIDR", ())),
        any(in_range(party, c["cidr"], c.get("except") or ()) for c in given.get("fromCIDRSet", ())),
        any(matches(node_peer(s), party) for s in given.get("fromNodes", ()))])


def is_port(port, case):
    proto = (port.get("protocol") or "ANY").upper()
    if proto not in ("ANY", case["proto"].upper()):
        return False
    if not port["port"].isdigit():
        named = {k.lower(): v for k, v in (case.get("named_ports") or {}).items()}
        return named.get(port["port"].lower()) == case["port"]
    first, end = int(port["port"]), port.get("endPort") or 0
    return (first == 0 and end == 0) or first <= case["port"] <= max(first, end)


def is_icmp(field, case):
    family = field.get("family") or "IPv4"
    proto = "ICMPV6" if family == "IPv6" else "ICMP"
    kind = ICMP_TYPES.get((family, field["type"]), field["type"])
    return case["proto"].upper() == proto and case["port"] == kind


def port_rules(rule, case):
    """The L7 rules of each entry that has the port; None for one without L7 rules."""
    if rule.get("icmps"):
        return [None for i in rule["icmps"] for f in i.get("fields") or () if is_icmp(f, case)]
    if not rule.get("toPorts"):
        return [None]
    return [(to.get("rules") or {}).get("http") for to in rule["toPorts"]
            if any(is_port(p, case) for p in to.get("ports") or ())]


def full_match(pattern, text):
    """RE2 by Python's re, which has no \\Q...\\E; only the generator's patterns get here."""
    plain = re.sub(r"\\Q(.*?)\\E", lambda m: re.escape(m[1]), pattern)
    return re.fullmatch(plain, text, re.ASCII) is not None


def http_holds(rule, http):
    headers = {}
    for name, values in (http.get("headers") or {}).items():
        headers.setdefault(name.lower(), []).extend(values)
    for part in "method", "host", "path":
        if rule.get(part) and not full_match(rule[part], http.get(part) or ""):
            return False
    for text in rule.get("headers") or ():
        name, blank, value = text.partition(" ")
        has = headers.get((name.rstrip(":") if blank else name).lower())
        if has is None or blank and ",".join(has) != value:
            return False
    for match in rule.get("headerMatches") or ():
        has = headers.get(match["name"].lower())
        if not match.get("mismatch") and (
                has is None or match.get("value") and ",".join(has) != match["value"]):
            return False
    return True


def is_refused(policy):
    """What Cilium does not take, as far as the generator makes it."""
    for spec in [*([policy["spec"]] if "spec" in policy else []), *policy.get("specs", [])]:
        for rule in [*(spec.get("ingress") or []), *(spec.get("ingressDeny") or [])]:
            if sum(bool(rule.get(name)) for name in FROM) > 1:
                return True
            for to in rule.get("toPorts") or ():
                if not to.get("rules"):
                    continue
                if any((p.get("protocol") or "ANY") != "TCP" or p["port"] == "0" for p in to["ports"]):
                    return True
                if any("(" in (h.get("path") or "") and ")" not in h["path"] for h in to["rules"]["http"]):
                    return True
    return False


def walk(policies, party):
    """(namespace, spec, of_init) for everything that protects the party."""
    for policy in policies:
        if is_refused(policy):
            continue
        namespace = None
        if policy["kind"] == "CiliumNetworkPolicy":
            namespace = policy["metadata"].get("namespace") or "default"
        for spec in [*([policy["spec"]] if "spec" in policy else []), *policy.get("specs", [])]:
            chosen, of_init = subject(spec, namespace, party)
            if chosen:
                yield namespace, spec, of_init


def answer(policies, case):
    src = Party(case.get("src") or [], case.get("src_cidr"))
    dst = Party(case["dst"])
    refuses, denied, plain, l7 = False, False, False, []
    for namespace, spec, of_init in walk(policies, dst):
        ingress, deny = spec.get("ingress") or [], spec.get("ingressDeny") or []
        said = (spec.get("enableDefaultDeny") or {}).get("ingress")
        refuses = refuses or (bool(ingress or deny) if said is None else said)
        denied = denied or any(chooses(rule, namespace, of_init, src) and port_rules(rule, case)
                               for rule in deny)
        for rule in ingress:
            if chooses(rule, namespace, of_init, src):
                for http in port_rules(rule, case):
                    plain = plain or http is None
                    l7.extend([http] if http else [])
    l4 = not denied and (plain or bool(l7) or not refuses)
    verdict = {"l4": "allow" if l4 else "deny", "expect": "allow" if l4 else "deny"}
    if l4 and l7 and "http" in case:
        holds = plain or not refuses or any(
            http_holds(rule, case["http"]) for rules in l7 for rule in rules)
        verdict["l7"] = verdict["expect"] = "allow" if holds else "deny"
    return verdict
