"""
packaging/kubernetes as kustomize would make it, for the tests: the part of
kustomization.yaml that is used there and no more; a key beyond it is an error.
And what Kubernetes' own types say about the result: unknown fields, missing ones,
wrong types, from the models of Debian's python3-kubernetes, which are only read.
"""
import ast
import glob
import os
import re
import subprocess

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASES = "sidecar", "edge-node"
CACHE = os.environ.get("IDENTITYD_CACHE", "/var/cache/identityd-tests")
GLOBAL = "Namespace",
PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object,
         "datetime": str}


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.safe_load(f)


def images(node, new):
    """Every image under a node, with the tags of kustomization.yaml."""
    if isinstance(node, dict):
        if isinstance(node.get("image"), str):
            name = node["image"].rsplit(":", 1)[0] if "/" in node["image"] else node["image"]
            if name in new:
                node["image"] = f"{name}:{new[name]}"
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            images(one, new)


def render(base):
    """The objects of a base, as kubectl apply -k would send them (names without a hash)."""
    folder = os.path.join(ROOT, "packaging/kubernetes", base)
    top = load(f"{folder}/kustomization.yaml")
    known = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "images"}
    assert set(top) <= known, set(top) - known
    objects = [load(f"{folder}/{name}") for name in top["resources"]]
    for made in top["configMapGenerator"]:
        data = {}
        for name in made["files"]:
            with open(f"{folder}/{name}", encoding="utf-8") as f:
                data[name] = f.read()
        objects.append({"apiVersion": "v1", "kind": "ConfigMap",
                        "metadata": {"name": made["name"]}, "data": data})
    for one in objects:
        if one["kind"] not in GLOBAL:
            one["metadata"]["namespace"] = top["namespace"]
    images(objects, {image["name"]: image["newTag"] for image in top["images"]})
    return objects


def image_uid():
    """The user's number, as packaging/oci/build has it."""
    with open(f"{ROOT}/packaging/oci/build", encoding="utf-8") as f:
        return int(re.search(r"^uid=(\d+)$", f.read(), re.M).group(1))


class Models:
    """Kubernetes' types: {model: ({field in JSON: type}, required fields)}."""

    def __init__(self):
        self.folder = os.path.join(CACHE, "python3-kubernetes")
        if not os.path.isdir(self.folder):
            self.fetch()
        self.known = {}

    def fetch(self):
        new = self.folder + ".new"
        os.makedirs(new, exist_ok=True)
        subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                        "python3-kubernetes"], cwd=new, check=True, capture_output=True)
        subprocess.run(["dpkg-deb", "-x", glob.glob(f"{new}/*.deb")[0], new], check=True)
        os.rename(new, self.folder)

    def model(self, name):
        if name not in self.known:
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
            path = f"{self.folder}/usr/lib/python3/dist-packages/kubernetes/client/models/{snake}.py"
            with open(path, encoding="utf-8") as f:
                text = f.read()
            tables = {node.targets[0].id: ast.literal_eval(node.value)
                      for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assign)
                      and isinstance(node.targets[0], ast.Name)
                      and node.targets[0].id in ("openapi_types", "attribute_map")}
            names, types = tables["attribute_map"], tables["openapi_types"]
            required = {names[field] for field in re.findall(
                r"client_side_validation and (\w+) is None", text)}
            self.known[name] = {names[field]: types[field] for field in types}, required
        return self.known[name]

    def complaints(self, value, kind, where):
        """What is wrong with a value of this type, one text each."""
        inner = re.fullmatch(r"(list|dict\(str, )\[?(.*?)[\])]", kind)
        if kind.startswith("list["):
            if not isinstance(value, list):
                return [f"{where}: no list"]
            return [text for i, one in enumerate(value)
                    for text in self.complaints(one, kind[5:-1], f"{where}[{i}]")]
        if inner and kind.startswith("dict("):
            if not isinstance(value, dict):
                return [f"{where}: no map"]
            return [text for key, one in value.items()
                    for text in self.complaints(one, kind[len("dict(str, "):-1], f"{where}.{key}")]
        if kind in PLAIN:
            bad = not isinstance(value, PLAIN[kind]) or (
                isinstance(value, bool) and kind in ("int", "str"))
            return [f"{where}: {value!r} is no {kind}"] if bad else []
        return self.object(value, kind, where)

    def object(self, value, kind, where):
        if not isinstance(value, dict):
            return [f"{where}: no {kind}"]
        fields, required = self.model(kind)
        found = [f"{where}: there is no field {key}" for key in value if key not in fields]
        found += [f"{where}: {key} is missing" for key in sorted(required - set(value))]
        for key in value:
            if key in fields:
                found += self.complaints(value[key], fields[key], f"{where}.{key}")
        return found

    def check(self, one):
        group, _, version = one["apiVersion"].rpartition("/")
        assert group in ("", "apps", "networking.k8s.io"), one["apiVersion"]
        return self.object(one, version.capitalize() + one["kind"],
                           f"{one['kind']} {one['metadata']['name']}")
