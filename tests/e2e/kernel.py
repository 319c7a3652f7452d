"""The kernel's side of the lab: a cgroup of its own, and maps as bpftool shows them."""
import ipaddress
import itertools
import json
import os
import struct
import subprocess
import time

_serial = itertools.count()


def cgroup2_root():
    """Where cgroup v2 is mounted, alone or beside v1."""
    with open("/proc/self/mountinfo") as f:
        for line in f:
            fields = line.split()
            kind = fields[fields.index("-") + 1]
            if kind == "cgroup2" and fields[3] == "/":
                return fields[4]
    raise RuntimeError("no cgroup v2 is mounted")


def make_cgroup():
    path = os.path.join(cgroup2_root(), f"identityd-e2e-{os.getpid()}-{next(_serial)}")
    os.mkdir(path)
    return path


def remove_cgroup(path):
    """The processes in it are gone already; the kernel may need a moment to agree."""
    for _ in range(100):
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{path} is still in use")


def mounted(path):
    with open("/proc/self/mountinfo") as f:
        return any(line.split()[4] == path for line in f)


def unmount(path):
    if mounted(path):
        subprocess.run(["umount", "-l", path], check=False)


# bpfmap/abi.h: struct bpfmap_flow_key and struct bpfmap_flow, in this machine's byte order.
KEY = struct.Struct("=16s16sHHB3x")
VALUE = struct.Struct("=IIQQQ")


def _address(raw, family):
    return str(ipaddress.ip_address(raw[:4] if family == 1 else raw))


def flows(pin):
    """
    The map as `bpftool map dump pinned` prints it: {(client address, client port):
    {identity, flags, expires, cookie, subject, local}}.
    """
    out = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", pin], check=True,
                         capture_output=True, text=True).stdout
    result = {}
    for entry in json.loads(out):
        key = bytes(int(b, 16) for b in entry["key"])
        value = bytes(int(b, 16) for b in entry["value"])
        remote, local, remote_port, local_port, family = KEY.unpack(key)
        identity, flags, expires, cookie, subject = VALUE.unpack(value)
        result[_address(remote, family), remote_port] = {
            "identity": identity, "flags": flags, "expires": expires, "cookie": cookie,
            "subject": subject, "local": (_address(local, family), local_port)}
    return result
