#!/usr/bin/env python3
"""spop.py against spop/: the same random bytes, valid and mutated, must mean the
same to both, and what both read they must write alike.

    spop_differential.py PATH-OF-spop_echo [CASES [SEED]]
"""

import json
import random
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address

import spop
from spop import Bad, Bin, Bool, Int, IPv4, IPv6, NeedMore, Null, SetVar, Str, UnsetVar

KINDS = ("frame", "stream", "hello", "agent", "disconnect", "notify", "ack")
CAPABILITIES = ("pipelining", "async", "fragmentation")


# ---- what Python makes of the bytes, as spop_echo prints it -----------------


def raw(s):
    return s.encode() if isinstance(s, str) else s


def value(v):
    if isinstance(v, Null):
        return [0]
    if isinstance(v, Bool):
        return [1, v.value]
    if isinstance(v, Int):
        return [v.type, v.value]
    if isinstance(v, IPv4):
        return [6, IPv4Address(v.value).packed.hex()]
    if isinstance(v, IPv6):
        return [7, IPv6Address(v.value).packed.hex()]
    return [8 if isinstance(v, Str) else 9, v.raw().hex()]


def view_frame(data):
    frames, end, rest, again = [], "more", data, b""
    while True:
        try:
            f, used = spop.decode_frame(rest)
        except NeedMore:
            break
        except Bad as e:
            end = "big" if e.status == 3 else "bad"
            break
        rest = rest[used:]
        frames.append([f.type, f.flags, f.stream_id, f.frame_id, f.payload.hex()])
        again += spop.encode_frame(f.type, f.payload, f.stream_id, f.frame_id, f.flags)
    return {"frames": frames, "end": end, "left": len(rest), "again": again.hex()}


def view_stream(data):
    frames, got, status, ids = [], [], 0, None
    while True:
        try:
            f, used = spop.decode_frame(data)
        except NeedMore:
            break
        except Bad as e:
            status = e.status
            break
        frames.append(f)
        data = data[used:]
    try:
        ids = spop.reassemble(frames, got)
    except Bad as e:
        status, ids = e.status, open_before(frames)
    return {"payloads": [[f.type, f.stream_id, f.frame_id, f.payload.hex()] for f in got],
            "status": status, "open": ids is not None}


def open_before(frames):
    """The ids of the payload that was not complete when the first wrong frame came."""
    ids = None
    for i in range(len(frames) + 1):
        try:
            ids = spop.reassemble(frames[:i], [])
        except Bad:
            break
    return ids


def view_hello(data):
    try:
        h = spop.decode_hello(data)
    except Bad as e:
        return {"status": e.status}
    caps = [c for c in CAPABILITIES if c in h["capabilities"]]
    again = spop.encode_hello(h["max_frame_size"], ",".join(caps), h["healthcheck"], h["engine_id"])
    return {"status": 0, "max": h["max_frame_size"],
            "capabilities": [c in caps for c in CAPABILITIES],
            "healthcheck": h["healthcheck"], "engine_id": raw(h["engine_id"]).hex(),
            "again": again.hex()}


def view_agent(data):
    try:
        h = spop.decode_hello(data, agent=True)
    except Bad as e:
        return {"status": e.status}
    caps = [c for c in ("pipelining", "fragmentation") if c in h["capabilities"]]
    again = spop.encode_agent_hello(h["max_frame_size"], ",".join(caps))
    return {"status": 0, "max": h["max_frame_size"],
            "capabilities": [c in caps for c in ("pipelining", "fragmentation")],
            "again": again.hex()}


def view_disconnect(data):
    try:
        status, message = spop.decode_disconnect(data)
    except Bad:
        return {"end": "bad"}
    return {"status": status, "message": raw(message).hex()}


def view_notify(data):
    got, end = [], {"end": "ok"}
    try:
        end["again"] = spop.encode_notify(spop.decode_notify(data, into=got)).hex()
    except Bad:
        end = {"end": "bad"}
    return {"messages": [[raw(name).hex(), [[raw(k).hex(), value(v)] for k, v in args]]
                         for name, args in got], **end}


def view_action(a):
    is_set = isinstance(a, SetVar)
    return [is_set, a.scope, raw(a.name).hex(), value(a.value) if is_set else [0]]


def view_ack(data):
    got, end = [], {"end": "ok"}
    try:
        end["again"] = spop.encode_ack(spop.decode_ack(data, into=got)).hex()
    except Bad:
        end = {"end": "bad"}
    return {"actions": [view_action(a) for a in got], **end}


# ---- inputs -----------------------------------------------------------------


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def integer(self, bits=64):
        return (self.r.getrandbits(self.r.randint(0, bits))
                if self.r.random() < 0.7 else 2**self.r.randint(0, bits) - 1)

    def text(self):
        r = self.r
        if r.random() < 0.1:
            return bytes(r.getrandbits(8) for _ in range(r.choice((1, 5, 250))))
        return "".join(r.choice("abcxyz-._0 ,") for _ in range(r.choice((0, 1, 3, 8, 30))))

    def int(self):
        kind = self.r.choice((2, 3, 4, 5))
        low, high = spop.INT_RANGES[kind]
        v = self.integer() - (self.integer() if self.r.random() < 0.4 else 0)
        return Int(max(low, min(high, v)), kind)

    def typed(self):
        r = self.r
        return r.choice((
            Null, lambda: Bool(r.random() < 0.5), self.int, lambda: Str(self.text()),
            lambda: IPv4(str(IPv4Address(r.getrandbits(32)))),
            lambda: IPv6(str(IPv6Address(r.getrandbits(128)))),
            lambda: Bin(raw(self.text()))))()

    def pairs(self, most=6):
        return [(self.text(), self.typed()) for _ in range(self.r.randint(0, most))]

    def hello(self, version="supported-versions"):
        r = self.r
        pairs = [
            (version, Str(r.choice(("2.0",) * 12 + (" 2.0", "2.0, 1.0", "1.0,2.7", "2.1",
                                    "1.0", "3.0,", "2", "2.x", "02.0", ".", "2.0.0", "2.1000",
                                    "\t2.0\r", "2.0,")))),
            ("max-frame-size", r.choice((Int(16380, 3), Int(16380, 4), Int(256, 5),
                                        Int(255, 3), self.int()))),
            ("capabilities", Str(r.choice(("", "pipelining", "pipelining,async", "async,,x",
                                           " fragmentation , pipelining\t", "pipeliningx")))),
        ]
        if r.random() < 0.3:
            pairs.append(("healthcheck", r.choice((Bool(True), Bool(False), Int(1)))))
        if r.random() < 0.5:
            pairs.append(("engine-id", Str(self.text())))
        return self.list(pairs)

    def list(self, pairs):
        """Mostly as given; else shuffled, with something missing, twice or unknown."""
        r = self.r
        if r.random() < 0.5:
            r.shuffle(pairs)
            pairs.extend(self.pairs(2))
        if r.random() < 0.15:
            pairs.pop(r.randrange(len(pairs)))
        if r.random() < 0.1 and pairs:
            pairs.append(r.choice(pairs))
        if r.random() < 0.1 and pairs:
            i = r.randrange(len(pairs))
            pairs[i] = (pairs[i][0], self.typed())
        return spop.encode_kv(pairs)

    def agent(self):
        return self.hello("version")

    def disconnect(self):
        status = self.r.choice((Int(self.r.randint(0, 99), 3), self.int()))
        return self.list([("status-code", status), ("message", Str(self.text()))])

    def notify(self):
        return spop.encode_notify([(self.text(), self.pairs())
                                   for _ in range(self.r.randint(0, 3))])

    def ack(self):
        r = self.r
        return spop.encode_ack([
            SetVar(r.randint(0, 4), self.text(), self.typed()) if r.random() < 0.7
            else UnsetVar(r.randint(0, 4), self.text()) for _ in range(r.randint(0, 4))])

    def frame(self):
        r = self.r
        out = b""
        for _ in range(r.randint(1, 4)):
            kind = r.choice((0, 1, 2, 3, 101, 102, 103, r.getrandbits(8)))
            payload = r.choice((self.notify, self.ack, self.hello, lambda: b""))()
            length = r.choice((None,) * 12 + (0, 6, 7, 16380, 16381, 2**32 - 1, r.randint(0, 99)))
            out += spop.encode_frame(kind, payload, self.integer(), self.integer(),
                                     r.choice((1, 3, 0, r.getrandbits(32))), length)
        return out

    def stream(self):
        """Payloads whole and in fragments; now and then a frame too many, lost or moved."""
        r, frames = self.r, []
        for _ in range(r.randint(1, 4)):
            sizes = [r.randint(0, 40) for _ in range(r.choice((0, 0, 1, 2, 5)))]
            frames += spop.fragments(self.notify(), sizes, r.randint(0, 3), r.randint(0, 2),
                                     r.random() < 0.15)
        if r.random() < 0.3:
            frames.insert(r.randint(0, len(frames)), r.choice(frames))
        if r.random() < 0.2:
            frames.pop(r.randrange(len(frames)))
        if r.random() < 0.2:
            frames.insert(r.randint(0, len(frames)), spop.Frame(
                r.choice((1, 2, 9)), r.choice((0, 1)), 0, 0, b""))
        return b"".join(spop.encode_frame(f.type, f.payload, f.stream_id, f.frame_id, f.flags)
                        for f in frames)

    def mutate(self, data):
        """Cut, extend, or change some bytes, to the values where things happen."""
        r, data = self.r, bytearray(data)
        for _ in range(r.choice((1, 1, 2, 5))):
            at = r.randint(0, len(data))
            what = r.random()
            if what < 0.2:
                del data[at:]
            elif what < 0.35:
                del data[at : at + r.choice((1, 1, 4))]
            elif what < 0.5:
                data[at:at] = bytes(r.getrandbits(8) for _ in range(r.choice((1, 1, 9))))
            elif what < 0.6:
                data[at:at] = b"\xff" * r.choice((1, 9, 10, 11))
            elif at < len(data):
                data[at] = r.choice((0, 1, 0x7F, 0x80, 0xEF, 0xF0, 0xFF, data[at] ^ 1,
                                     (data[at] + 1) & 255, (data[at] - 1) & 255,
                                     data[at] ^ 0x10, r.getrandbits(8)))
        return bytes(data)

    def case(self, i):
        kind = KINDS[i % len(KINDS)]
        data = getattr(self, kind)()
        return kind, self.mutate(data) if self.r.random() < 0.4 else data


def main(program, cases=20000, seed=1):
    maker = Maker(int(seed))
    inputs = [maker.case(i) for i in range(int(cases))]
    answer = subprocess.run([program], capture_output=True, text=True, check=True,
                            input="".join(f"{k} {d.hex()}\n" for k, d in inputs)).stdout
    lines = answer.splitlines()
    if len(lines) != len(inputs):
        sys.exit(f"{len(inputs)} cases, {len(lines)} answers")
    wrong, good = 0, dict.fromkeys(KINDS, 0)
    for (kind, data), line in zip(inputs, lines):
        ours, theirs = globals()["view_" + kind](data), json.loads(line)
        good[kind] += (ours["status"] == 0 if kind == "stream" else ours.get("left", 0) == 0
                       and ("again" in ours or "message" in ours))
        if ours != theirs:
            wrong += 1
            if wrong <= 10:
                print(f"{kind} {data.hex()}\n  python {json.dumps(ours)}\n  C      {line}")
    print(f"{len(inputs)} cases, {wrong} differ; well-formed: {good}")
    # Inputs that nearly always fail, or never do, would compare little.
    lame = any(not 0.1 < good[k] * len(KINDS) / len(inputs) < 0.9 for k in KINDS)
    sys.exit(1 if wrong or lame else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
