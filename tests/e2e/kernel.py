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


SHARED = 1  # BPFMAP_FLOW_SHARED

# bpfmap/abi.h: enum bpfmap_counter
COUNTERS = ("opened", "closed", "full", "seeded", "dead", "denied", "dropped", "killed", "audited",
            "events_lost", "stats_full")


def counters(bpf_dir):
    """The map `counters`, summed over CPUs."""
    out = subprocess.run(["bpftool", "-j", "map", "dump", "pinned",
                          os.path.join(bpf_dir, "counters")], check=True, capture_output=True,
                         text=True).stdout
    return {name: sum(int.from_bytes(bytes(int(b, 16) for b in cpu["value"]), "little")
                      for cpu in entry["values"])
            for name, entry in zip(COUNTERS, json.loads(out))}


# bpfmap/abi.h: struct bpfmap_flow_key and struct bpfmap_flow, in this machine's byte order.
KEY = struct.Struct("=16s16sHHB3x")
VALUE = struct.Struct("=QQQQ40xqIII4x")


def _address(raw, family):
    return str(ipaddress.ip_address(raw[:4] if family == 1 else raw))


def _dump(pin):
    out = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", pin], check=True,
                         capture_output=True, text=True).stdout
    return [(bytes(int(b, 16) for b in entry["key"]), bytes(int(b, 16) for b in entry["value"]))
            for entry in json.loads(out)]


def raw_flow(pin, client):
    """(key, value) of the flow of this client, as bytes."""
    port = client[1].to_bytes(2, "little")
    return next((key, value) for key, value in _dump(pin) if key[32:34] == port)


def put(pin, key, value):
    """Writes an entry, whatever its map."""
    def hexes(data):
        return [f"{b:02x}" for b in data]
    subprocess.run(["bpftool", "map", "update", "pinned", pin, "key", "hex", *hexes(key),
                    "value", "hex", *hexes(value)], check=True)


def flows(pin):
    """
    The map as `bpftool map dump pinned` prints it: {(client address, client port):
    {identity, flags, expires, cookie, subject, local}}.
    """
    result = {}
    for key, value in _dump(pin):
        remote, local, remote_port, local_port, family = KEY.unpack(key)
        cookie, expires, subject, _netns, _issued, identity, flags, _seen = VALUE.unpack(value)
        result[_address(remote, family), remote_port] = {
            "identity": identity, "flags": flags, "expires": expires, "cookie": cookie,
            "subject": subject, "local": (_address(local, family), local_port)}
    return result
