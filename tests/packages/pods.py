"""podman for the tests: its own storage and configuration, the images of this build."""
import glob
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CONTAINERS = """\
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

# Backends in HAProxy's own process; and what a real image would bring by itself.
APPS = """\
frontend fe_apps
	mode http
	timeout client 5s
	bind 127.0.0.1:8082
	bind 127.0.0.1:8081
	http-request return status 200
"""


def provider(build, folder):
    """corp.jwks in this folder, and a token of its key."""
    key = f"{folder}/key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
    ctl = f"{build}/ctl/identityctl"
    with open(f"{folder}/corp.jwks", "w", encoding="utf-8") as f:
        subprocess.run([ctl, "token", "jwk", "--key", key, "--kid", "k1", "--set"], check=True,
                       stdout=f)
    return subprocess.run(
        [ctl, "token", "mint", "--alg", "ES256", "--key", key, "--kid", "k1", "--iss",
         "https://idp.example.com", "--aud", "api", "--sub", "alice", "--ttl", "1h"],
        check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def haproxy_image(folder):
    """This machine's HAProxy as an image: no registry is asked."""
    fs = f"{folder}/haproxy"
    libraries = subprocess.run(["ldd", "/usr/sbin/haproxy"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.split()
    for path in ["/usr/sbin/haproxy", *(word for word in libraries if word.startswith("/"))]:
        os.makedirs(fs + os.path.dirname(path), exist_ok=True)
        shutil.copy(path, fs + path)
    os.makedirs(f"{fs}/etc")
    for name, text in (("passwd", "haproxy:x:99:99::/:/\n"), ("group", "haproxy:x:99:\n")):
        with open(f"{fs}/etc/{name}", "w", encoding="ascii") as f:
            f.write(text)
    image = f"{folder}/haproxy-image:test"
    for argv in (["init", "--layout", f"{folder}/haproxy-image"], ["new", "--image", image],
                 ["insert", "--image", image, fs, "/"],
                 ["config", "--image", image, "--config.env", "PATH=/usr/sbin:/usr/bin"]):
        subprocess.run(["umoci", *argv], check=True, capture_output=True)
    return f"oci:{image}"


class Podman:
    """Storage below a folder of its own; nothing of this machine's podman is touched."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="identityd-podman-")
        with open(f"{self.dir}/containers.conf", "w", encoding="utf-8") as f:
            f.write(CONTAINERS)
        with open(f"{self.dir}/policy.json", "w", encoding="utf-8") as f:
            f.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        return self

    @property
    def options(self):
        return ["--storage-driver", "vfs", "--root", f"{self.dir}/root", "--runroot",
                f"{self.dir}/run", "--tmpdir", f"{self.dir}/tmp"]

    def start(self, argv, check):
        done = subprocess.run(
            argv, check=False, text=True, timeout=300, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "CONTAINERS_CONF": f"{self.dir}/containers.conf"})
        if check and done.returncode:
            raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}")
        return done.stdout

    def run(self, *argv, check=True):
        return self.start(["podman", *self.options, *argv], check)

    def shell(self, line):
        """A command line of a document; its podman is this one."""
        own = f'podman() {{ command podman {" ".join(self.options)} "$@"; }}'
        return self.start(["bash", "-ec", f"{own}\n{line}"], True)

    def load(self, archive):
        return self.run("load", "-q", "-i", archive).strip().rsplit(" ", 1)[1]

    def copy(self, image, name):
        """Into the storage, without a registry."""
        subprocess.run(
            ["skopeo", "--insecure-policy", "copy", "-q", image,
             f"containers-storage:[vfs@{self.dir}/root+{self.dir}/run]{name}"], check=True,
            capture_output=True)

    def adapt(self, objects, folder):
        """
        What the cluster and the operator would bring: the images, the provider's keys, an
        application. podman knows no ConfigMap made from what is not UTF-8, no probes by HTTP.
        """
        own = self.load(glob.glob(f"{ROOT}/build/oci/identityd.tar")[0])
        self.copy(haproxy_image(folder), "localhost/haproxy:test")
        for one in objects:
            if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "identityd":
                with open(f"{folder}/corp.jwks", encoding="utf-8") as f:
                    one["data"]["corp.jwks"] = f.read()
                one["data"]["identityd.yaml"] = one["data"]["identityd.yaml"].replace(
                    "audiences: [api]", "audiences: [api], algorithms: [ES256], "
                    "jwks_file: /etc/identityd/corp.jwks")
            if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "haproxy":
                one["data"]["pod.cfg"] += APPS
            if one["kind"] == "Deployment":
                pod = one["spec"]["template"]["spec"]
                one["spec"]["replicas"] = 1
                for container in pod["containers"]:
                    container["image"] = own if container["name"] == "identityd" \
                        else "localhost/haproxy:test"
                    container["imagePullPolicy"] = "Never"

    def containers(self):
        return self.run("ps", "-a", "--format", "{{.Names}}").split()

    def logs(self):
        return "\n".join(f"--- {name}\n{self.run('logs', name, check=False)[-3000:]}"
                         for name in self.containers())

    def __exit__(self, *_):
        self.run("rm", "-af", "-t", "2", check=False)
        subprocess.run(["umount", "-l", *glob.glob(f"{self.dir}/root/vfs*")], check=False,
                       capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)
        for top in glob.glob("/sys/fs/cgroup/**/libpod_parent", recursive=True):
            for path, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(path)
                except OSError:
                    pass
