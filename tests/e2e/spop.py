#!/usr/bin/env python3
"""SPOP in Python, for the end-to-end tests: a second opinion, written from the
specification (SPOE.txt 3) and from nothing in spop/. Standard library only.

FakeHaproxy plays HAProxy's side of a connection and does whatever a test
wants, malformed frames included:

    with FakeHaproxy("/run/agent.sock") as h:      # or ("127.0.0.1", 9000)
        h.hello(max_frame_size=16380)
        h.notify("identify", {"token": Str("..."), "src": IPv4("192.0.2.1")})
        ack = h.recv_frame()
        decode_ack(ack.payload)  # [SetVar(scope=2, name="verdict", value=Str("allow")), ...]
"""

import socket
import struct
import sys
import time
from typing import NamedTuple, Union
from ipaddress import IPv4Address, IPv6Address

UNSET, HAPROXY_HELLO, HAPROXY_DISCONNECT, NOTIFY = 0, 1, 2, 3
AGENT_HELLO, AGENT_DISCONNECT, ACK = 101, 102, 103
FIN, ABORT = 1, 2
PROC, SESS, TXN, REQ, RES = range(5)
MAX_FRAME = 16380


class Bad(ValueError):
    """The bytes are not SPOP. status is the code to disconnect with."""

    def __init__(self, text, status=4):
        super().__init__(text)
        self.status = status


class NeedMore(Exception):
    """The input ends inside a frame."""


# ---- typed values -------------------------------------------------------


class Null(NamedTuple):
    pass


class Bool(NamedTuple):
    value: bool


class Int(NamedTuple):
    value: int
    type: int = 4  # 2 INT32, 3 UINT32, 4 INT64 (what HAProxy sends), 5 UINT64


class IPv4(NamedTuple):
    value: str


class IPv6(NamedTuple):
    value: str


class Str(NamedTuple):
    value: Union[str, bytes]  # decoded as str; bytes when it is not UTF-8

    def raw(self):
        return self.value if isinstance(self.value, bytes) else self.value.encode()


class Bin(NamedTuple):
    value: bytes

    def raw(self):
        return self.value


INT_RANGES = {
    2: (-(2**31), 2**31 - 1),
    3: (0, 2**32 - 1),
    4: (-(2**63), 2**63 - 1),
    5: (0, 2**64 - 1),
}


def text(raw):
    """Names and strings as str where they are UTF-8, else as they came."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def encode_varint(v):
    if v < 240:
        return bytes([v])
    out = bytearray([(v & 0xFF) | 0xF0])
    v = (v - 240) >> 4
    while v >= 128:
        out.append((v & 0x7F) | 0x80)
        v = (v - 128) >> 7
    out.append(v)
    return bytes(out)


def encode_string(s):
    raw = s.encode() if isinstance(s, str) else bytes(s)
    return encode_varint(len(raw)) + raw


def encode_typed(v):
    kind = type(v)
    if kind is Null:
        return b"\x00"
    if kind is Bool:
        return b"\x11" if v.value else b"\x01"
    if kind is Int:
        low, high = INT_RANGES[v.type]
        if not low <= v.value <= high:
            raise ValueError(f"{v} is out of range")
        return bytes([v.type]) + encode_varint(v.value % 2**64)
    if kind is IPv4:
        return b"\x06" + IPv4Address(v.value).packed
    if kind is IPv6:
        return b"\x07" + IPv6Address(v.value).packed
    if kind in (Str, Bin):
        return (b"\x08" if kind is Str else b"\x09") + encode_string(v.raw())
    raise TypeError(f"not a typed value: {v!r}")


class Cursor:
    """Reads a payload; everything that does not fit is Bad."""

    def __init__(self, data):
        self.data = bytes(data)
        self.at = 0

    def more(self):
        return self.at < len(self.data)

    def take(self, n):
        if n > len(self.data) - self.at:
            raise Bad("truncated")
        self.at += n
        return self.data[self.at - n : self.at]

    def u8(self):
        return self.take(1)[0]

    def varint(self):
        v = self.u8()
        if v < 240:
            return v
        for i in range(9):
            b = self.u8()
            v += b << (4 + 7 * i)
            if b < 128:
                if v >= 2**64:
                    raise Bad("integer above 64 bits")
                return v
        raise Bad("integer above 10 bytes")

    def string(self):
        return self.take(self.varint())

    def typed(self):
        first = self.u8()
        kind, flags = first & 0x0F, first >> 4
        if kind == 0:
            return Null()
        if kind == 1:
            return Bool(bool(flags & 1))
        if kind in INT_RANGES:
            return Int(self.integer(kind), kind)
        if kind == 6:
            return IPv4(str(IPv4Address(self.take(4))))
        if kind == 7:
            return IPv6(str(IPv6Address(self.take(16))))
        if kind == 8:
            return Str(text(self.string()))
        if kind == 9:
            return Bin(self.string())
        raise Bad("reserved type")

    def integer(self, kind):
        v = self.varint()
        if kind == 2 and 2**31 <= v < 2**32:
            v -= 2**32
        elif kind in (2, 4) and v >= 2**63:
            v -= 2**64
        low, high = INT_RANGES[kind]
        if not low <= v <= high:
            raise Bad("integer out of its type's range")
        return v


# ---- frames -------------------------------------------------------------


class Frame(NamedTuple):
    type: int
    flags: int
    stream_id: int
    frame_id: int
    payload: bytes


def encode_frame(type, payload=b"", stream_id=0, frame_id=0, flags=FIN, length=None):
    """length lies about the length, for tests that want that."""
    body = struct.pack(">BI", type, flags) + encode_varint(stream_id)
    body += encode_varint(frame_id) + payload
    return struct.pack(">I", len(body) if length is None else length) + body


def decode_frame(data, max_frame=MAX_FRAME):
    """The first frame, and how many bytes it took. NeedMore, or Bad with its status."""
    if len(data) < 4:
        raise NeedMore
    (n,) = struct.unpack(">I", data[:4])
    if n < 7:
        raise Bad("frame too short")
    if n > max_frame:
        raise Bad("frame too big", 3)
    if len(data) - 4 < n:
        raise NeedMore
    c = Cursor(data[4 : 4 + n])
    kind, flags = struct.unpack(">BI", c.take(5))
    stream_id, frame_id = c.varint(), c.varint()
    return Frame(kind, flags, stream_id, frame_id, c.data[c.at :]), 4 + n


def fragments(payload, sizes, stream_id=1, frame_id=1, cancel=False):
    """The frames that carry a NOTIFY's payload in pieces of these sizes and what is left."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(payload[at : at + size])
        at += size
    pieces.append(payload[at:])
    last = len(pieces) - 1
    return [Frame(UNSET if i else NOTIFY, (FIN | ABORT if cancel else FIN) if i == last else 0,
                  stream_id, frame_id, piece) for i, piece in enumerate(pieces)]


def reassemble(frames, into):
    """
    Adds to `into`, as frames with FIN, the payloads that whole frames and
    fragments carry; Bad with its status at the first frame that may not be
    there. Returns the ids of a payload that is not complete, or None.
    """
    parts, ids = [], None
    for f in frames:
        here = f.stream_id, f.frame_id
        if f.type == UNSET:
            if ids is None:
                raise Bad("a fragment of nothing", 12)
            if here != ids:
                raise Bad("a fragment of another payload", 11)
        elif f.type == NOTIFY:
            if ids is not None:
                raise Bad("a payload inside another", 11)
        elif not f.flags & FIN:
            raise Bad("only NOTIFY comes in fragments", 10)
        else:  # goodbyes and unknown ones are always whole, and may come at any time
            into.append(f)
            continue
        parts.append(f.payload)
        ids = here
        if f.flags & FIN:
            if not (f.type == UNSET and f.flags & ABORT):
                into.append(Frame(NOTIFY, FIN, *here, b"".join(parts)))
            parts, ids = [], None
    return ids


# ---- payloads -----------------------------------------------------------


def encode_kv(pairs):
    """A KV-LIST from a dict, or from pairs where order or repetition matters."""
    items = pairs.items() if hasattr(pairs, "items") else pairs
    return b"".join(encode_string(k) + encode_typed(v) for k, v in items)


def decode_kv(payload):
    """Pairs in the order they came: repeated keys are the reader's business."""
    c, pairs = Cursor(payload), []
    while c.more():
        key = text(c.string())
        pairs.append((key, c.typed()))
    return pairs


def known(payload, types):
    """The values of the keys in types; Bad for repeated ones and wrong types."""
    got = {}
    for key, value in decode_kv(payload):
        if key not in types:
            continue
        if key in got or not isinstance(value, types[key]):
            raise Bad(f"bad value of {key}")
        if isinstance(value, Str) and b"\0" in value.raw():
            raise Bad(f"NUL in {key}")
        got[key] = value
    return got


def items_of(value):
    return [item.strip(b" \t\n\v\f\r") for item in value.raw().split(b",")]


def version_of(item):
    """(major, minor), or None when it is not Major.Minor."""
    parts = item.split(b".")
    if len(parts) != 2 or not all(p and set(p) <= set(b"0123456789") for p in parts):
        return None
    major, minor = int(parts[0]), int(parts[1])
    return (major, minor) if major <= 999 and minor <= 999 else None


def decode_hello(payload, agent=False):
    """Either side's HELLO as a dict. Bad carries the status to disconnect with."""
    name = "version" if agent else "supported-versions"
    types = {name: Str, "max-frame-size": Int, "capabilities": Str}
    if not agent:
        types.update({"healthcheck": Bool, "engine-id": Str})
    got = known(payload, types)
    if name not in got:
        raise Bad("no version", 5)
    if agent:
        good = version_of(items_of(got[name])[0]) == (2, 0) and b"," not in got[name].raw()
    else:
        good = any((version_of(v) or (0, 0))[0] == 2 for v in items_of(got[name]))
    if not good:
        raise Bad("unsupported version", 8)
    if "max-frame-size" not in got:
        raise Bad("no max-frame-size", 6)
    if not 256 <= got["max-frame-size"].value < 2**32:
        raise Bad("bad max-frame-size", 9)
    if "capabilities" not in got:
        raise Bad("no capabilities", 7)
    engine_id = got.get("engine-id", Str("")).raw()
    return {
        "version": got[name].value,
        "max_frame_size": got["max-frame-size"].value,
        "capabilities": [text(c) for c in items_of(got["capabilities"]) if c],
        "healthcheck": got.get("healthcheck", Bool(False)).value,
        "engine_id": text(engine_id),
    }


def encode_hello(max_frame_size=MAX_FRAME, capabilities="pipelining", healthcheck=False,
                 engine_id="", versions="2.0"):
    pairs = [
        ("supported-versions", Str(versions)),
        ("max-frame-size", Int(max_frame_size, 3)),
        ("capabilities", Str(capabilities)),
    ]
    if healthcheck:
        pairs.append(("healthcheck", Bool(True)))
    if engine_id:
        pairs.append(("engine-id", Str(engine_id)))
    return encode_kv(pairs)


def encode_agent_hello(max_frame_size=MAX_FRAME, capabilities="pipelining", version="2.0"):
    return encode_kv([
        ("version", Str(version)),
        ("max-frame-size", Int(max_frame_size, 3)),
        ("capabilities", Str(capabilities)),
    ])


def encode_disconnect(status=0, message="normal"):
    return encode_kv([("status-code", Int(status, 3)), ("message", Str(message))])


def decode_disconnect(payload):
    """(status, message)."""
    got = known(payload, {"status-code": Int, "message": Str})
    if len(got) != 2 or not 0 <= got["status-code"].value < 2**32:
        raise Bad("bad DISCONNECT")
    return got["status-code"].value, got["message"].value


def encode_message(name, args):
    """args: a dict, or pairs."""
    items = list(args.items() if hasattr(args, "items") else args)
    return encode_string(name) + bytes([len(items)]) + encode_kv(items)


def encode_notify(messages):
    return b"".join(encode_message(name, args) for name, args in messages)


def decode_notify(payload, into=None):
    """[(name, [(argument, value), ...]), ...]; into keeps what was read when it raises."""
    c, out = Cursor(payload), [] if into is None else into
    while c.more():
        name, n = text(c.string()), c.u8()
        args = []
        out.append((name, args))
        for _ in range(n):
            key = text(c.string())
            args.append((key, c.typed()))
    return out


class SetVar(NamedTuple):
    scope: int
    name: str
    value: object


class UnsetVar(NamedTuple):
    scope: int
    name: str


def encode_ack(actions):
    out = b""
    for a in actions:
        is_set = isinstance(a, SetVar)
        out += bytes([1, 3, a.scope] if is_set else [2, 2, a.scope]) + encode_string(a.name)
        out += encode_typed(a.value) if is_set else b""
    return out


def decode_ack(payload, into=None):
    c, out = Cursor(payload), [] if into is None else into
    while c.more():
        kind, n, scope = c.u8(), c.u8(), c.u8()
        if (kind, n) not in ((1, 3), (2, 2)) or scope > RES:
            raise Bad("unknown action")
        name = text(c.string())
        out.append(SetVar(scope, name, c.typed()) if kind == 1 else UnsetVar(scope, name))
    return out


def variables(payload):
    """What an ACK leaves behind: {name: value}, None for an unset one."""
    return {a.name: a.value if isinstance(a, SetVar) else None for a in decode_ack(payload)}


# ---- a peer to script ---------------------------------------------------


class Closed(Exception):
    """The agent closed the connection (or reset it)."""


class FakeHaproxy:
    """One connection to an agent: a unix socket's path or (address, port)."""

    def __init__(self, address, timeout=5.0):
        self.timeout = timeout
        self.buffer = b""
        self.max_frame = MAX_FRAME
        self.agent = None  # the agent's HELLO, decoded
        self.next_stream = 1
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(timeout)
            self.sock.connect(address)
        else:
            self.sock = socket.create_connection(address, timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send_raw(self, data, chunk=0, pause=0.0):
        """Any bytes; chunk=1 sends them one at a time, with a pause between."""
        self.sock.settimeout(self.timeout)
        for i in range(0, len(data), chunk or max(len(data), 1)):
            try:
                self.sock.sendall(data[i : i + chunk] if chunk else data)
            except (BrokenPipeError, ConnectionResetError) as e:
                raise Closed(str(e)) from e
            if pause:
                time.sleep(pause)

    def send_frame(self, type, payload=b"", stream_id=0, frame_id=0, flags=FIN):
        self.send_raw(encode_frame(type, payload, stream_id, frame_id, flags))

    def recv_frame(self, timeout=None):
        """The next frame. TimeoutError, Closed, or Bad when it is not one."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            try:
                frame, used = decode_frame(self.buffer, self.max_frame)
                self.buffer = self.buffer[used:]
                return frame
            except NeedMore:
                self.fill(deadline)

    def fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no frame from the agent")
        self.sock.settimeout(left)
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError as e:
            raise Closed(str(e)) from e
        if not data:
            raise Closed("end of stream" + (" inside a frame" if self.buffer else ""))
        self.buffer += data

    def expect_closed(self, timeout=None):
        """True when the agent closes without sending another frame."""
        try:
            self.recv_frame(timeout)
        except Closed:
            return True
        except TimeoutError:
            pass
        return False

    def hello(self, max_frame_size=MAX_FRAME, capabilities="pipelining", healthcheck=False,
              engine_id="", versions="2.0", timeout=None):
        """Sends HELLO and returns the agent's as a dict; Bad with its status if it refuses."""
        self.send_frame(HAPROXY_HELLO, encode_hello(
            max_frame_size, capabilities, healthcheck, engine_id, versions))
        frame = self.recv_frame(timeout)
        if frame.type == AGENT_DISCONNECT:
            status, message = decode_disconnect(frame.payload)
            raise Bad(message, status)
        if (frame.type, frame.flags, frame.stream_id, frame.frame_id) != (AGENT_HELLO, FIN, 0, 0):
            raise Bad(f"not an AGENT-HELLO: {frame}")
        self.agent = decode_hello(frame.payload, agent=True)
        if self.agent["max_frame_size"] > max_frame_size:
            raise Bad("the agent's max-frame-size is above ours", 9)
        self.max_frame = self.agent["max_frame_size"]
        return self.agent

    def notify(self, message, args, stream_id=None, frame_id=1):
        """Sends one message and returns its (stream_id, frame_id)."""
        if stream_id is None:
            stream_id = self.next_stream
            self.next_stream += 2
        self.send_frame(NOTIFY, encode_message(message, args), stream_id, frame_id)
        return stream_id, frame_id

    def notify_fragmented(self, message, args, sizes, stream_id=1, frame_id=1, cancel=False):
        """Sends one message in pieces of these sizes and what is left."""
        for f in fragments(encode_message(message, args), sizes, stream_id, frame_id, cancel):
            self.send_frame(f.type, f.payload, f.stream_id, f.frame_id, f.flags)

    def recv_ack(self, timeout=None):
        """The next frame, which must be an ACK: (stream_id, frame_id, {name: value})."""
        frame = self.recv_frame(timeout)
        if frame.type != ACK or not frame.flags & FIN:
            raise Bad(f"not an ACK: {frame}")
        return frame.stream_id, frame.frame_id, variables(frame.payload)

    def ask(self, message, args, timeout=None):
        """notify and the ACK that answers it, as {name: value}."""
        ids = self.notify(message, args)
        stream_id, frame_id, got = self.recv_ack(timeout)
        if (stream_id, frame_id) != ids:
            raise Bad(f"ACK for {stream_id}/{frame_id}, asked {ids}")
        return got

    def disconnect(self, status=0, message="normal"):
        self.send_frame(HAPROXY_DISCONNECT, encode_disconnect(status, message))


# ---- selftest -----------------------------------------------------------


def raises(error, call, *args):
    try:
        call(*args)
    except error:
        return True
    return False


def check_varints():
    for v, golden in ((0, "00"), (239, "ef"), (240, "f000"), (2287, "ff7f"), (2288, "f08000"),
                      (16380, "fcf006"), (2**64 - 5, "fbf0fefefefefefefe0e")):
        assert encode_varint(v).hex() == golden, v
    for v in {2**b + d for b in range(64) for d in (-1, 0, 1)}:
        c = Cursor(encode_varint(v))
        assert c.varint() == v and not c.more()
    assert raises(Bad, Cursor(bytes.fromhex("f0f1fefefefefefefe0e")).varint)
    assert raises(Bad, Cursor(b"\xff" * 20).varint)


def check_values():
    for v, golden in ((Null(), "00"), (Bool(True), "11"), (Bool(False), "01"),
                      (Int(-5), "04fbf0fefefefefefefe0e"), (Int(16380, 3), "03fcf006"),
                      (IPv4("192.0.2.1"), "06c0000201"), (Str("ab"), "08026162"),
                      (IPv6("2001:db8::1"), "0720010db8000000000000000000000001"),
                      (Bin(b"\0\xff"), "090200ff"), (Str(b"\xff"), "0801ff")):
        assert encode_typed(v).hex() == golden, v
        assert Cursor(bytes.fromhex(golden)).typed() == v
    assert raises(Bad, Cursor(b"\x0a\x00").typed)


def check_frames():
    check = encode_frame(HAPROXY_HELLO, encode_hello(capabilities="", healthcheck=True))
    assert len(check) == 82  # HAProxy's own check request
    for n in range(len(check)):
        assert raises(NeedMore, decode_frame, check[:n])
    frame, used = decode_frame(check + b"more")
    assert used == 82 and decode_hello(frame.payload)["healthcheck"]
    assert raises(Bad, decode_frame, encode_frame(NOTIFY, length=6))
    assert raises(Bad, decode_frame, encode_frame(NOTIFY, length=MAX_FRAME + 1))


def check_fragments():
    pieces = fragments(b"abcdef", [1, 2], 7, 9)
    assert [(p.type, p.flags, p.payload) for p in pieces] == [
        (NOTIFY, 0, b"a"), (UNSET, 0, b"bc"), (UNSET, FIN, b"def")]
    got = []
    assert reassemble(pieces + pieces, got) is None
    assert got == [Frame(NOTIFY, FIN, 7, 9, b"abcdef")] * 2
    got = []
    assert reassemble(fragments(b"ab", [1], cancel=True) + pieces[:1], got) == (7, 9)
    assert got == []
    for status, frames in ((11, [pieces[0], pieces[0]]), (12, pieces[1:]),
                           (10, [Frame(HAPROXY_DISCONNECT, 0, 0, 0, b"")])):
        try:
            reassemble(frames, [])
            assert False
        except Bad as e:
            assert e.status == status


def check_payloads():
    messages = [("m", [("a", Str("x")), ("", Null())]), ("n", [])]
    assert decode_notify(encode_notify(messages)) == messages
    actions = [SetVar(TXN, "id", Int(7)), UnsetVar(TXN, "mark")]
    assert decode_ack(encode_ack(actions)) == actions
    assert decode_disconnect(encode_disconnect(4, "no")) == (4, "no")
    assert decode_hello(encode_agent_hello(), agent=True)["max_frame_size"] == MAX_FRAME
    assert raises(Bad, decode_hello, encode_hello(versions="1.0"))


def check_peer():
    """A scripted agent at the other end of a socket pair."""
    ours, theirs = socket.socketpair()
    h = FakeHaproxy.__new__(FakeHaproxy)
    h.sock, h.timeout, h.buffer, h.max_frame, h.next_stream = ours, 2.0, b"", MAX_FRAME, 1
    theirs.sendall(encode_frame(AGENT_HELLO, encode_agent_hello(1024)))
    assert h.hello()["capabilities"] == ["pipelining"] and h.max_frame == 1024
    theirs.sendall(encode_frame(ACK, encode_ack([SetVar(TXN, "id", Int(7))]), 1, 1))
    assert h.ask("m", {"token": Str("t")}) == {"id": Int(7)}
    assert raises(TimeoutError, h.recv_frame, 0.01)
    h.send_raw(b"abc", chunk=1)
    theirs.close()
    assert h.expect_closed()


def selftest():
    for check in (check_varints, check_values, check_frames, check_fragments,
                  check_payloads, check_peer):
        check()
    print("selftest passed")


if __name__ == "__main__":
    if sys.argv[1:] != ["selftest"]:
        sys.exit(f"usage: {sys.argv[0]} selftest")
    selftest()
