"""
A Debian 12 of its own on disk (scripts/fetch-debian), entered by a mount namespace
and chroot. What happens in it is seen nowhere else, but for the network.
"""
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

ENTER = """
set -e
root=$1
shift
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty; do
	touch "$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
exec chroot "$root" "$@"
"""


class Root:
    """A fresh one, without anything of ours in it."""

    def __init__(self):
        archive = subprocess.run([f"{ROOT}/scripts/fetch-debian"], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        self.dir = tempfile.mkdtemp(prefix="identityd-root-", dir=os.path.dirname(archive))
        subprocess.run(["tar", "-C", self.dir, "-xf", archive], check=True)
        shutil.copy("/etc/resolv.conf", f"{self.dir}/etc/resolv.conf")
        # How this machine reaches its archive, proxies and the like.
        shutil.copytree("/etc/apt/apt.conf.d", f"{self.dir}/etc/apt/apt.conf.d",
                        dirs_exist_ok=True)
        self.write("/etc/apt/apt.conf.d/99test", 'APT::Install-Recommends "false";\n'
                   'APT::Get::Assume-Yes "true";\nDPkg::Options:: "--force-confold";\n'
                   'APT::Sandbox::User "root";\n')
        # Nothing is started in it: there is no systemd that runs.
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)

    def path(self, path):
        return os.path.join(self.dir, path.lstrip("/"))

    def write(self, path, text, mode=0o644):
        with open(self.path(path), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(path), mode)

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as f:
            return f.read()

    def run(self, *argv, check=True, timeout=300, **how):
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
             "bash", "-c", ENTER, "enter", self.dir, *argv], check=False, text=True,
            timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
                 "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, **how)
        if check and done.returncode:
            raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}")
        return done

    def files(self):
        """What there is, without what every installation changes."""
        moving = ("/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/var/log/", "/tmp/", "/dev/",
                  "/proc/", "/var/lib/systemd/deb-systemd-helper-")
        found = set()
        for top, folders, names in os.walk(self.dir):
            found |= {os.path.join(top, name)[len(self.dir):] for name in folders + names}
        return {path for path in found if not path.startswith(moving)}

    def close(self):
        shutil.rmtree(self.dir)
