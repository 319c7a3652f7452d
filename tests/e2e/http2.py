"""
HTTP/2 without TLS: gRPC as far as a proxy sees it (metadata, messages, trailers), and
websockets (RFC 8441). No protobuf: a message is any bytes behind gRPC's five-byte
prefix. The server echoes what comes and ends with trailers.
"""
import socket
import socketserver
import struct
import sys
import threading

# Debian's python3-h2 (and what it needs) is plain Python: good for any python3 in PATH.
sys.path.append("/usr/lib/python3/dist-packages")
import h2.config  # noqa: E402
import h2.connection  # noqa: E402
import h2.events  # noqa: E402
import h2.settings  # noqa: E402


def message(data):
    """gRPC's Length-Prefixed-Message, not compressed."""
    return b"\0" + struct.pack(">I", len(data)) + data


def messages(data):
    found = []
    while data:
        size = struct.unpack(">I", data[1:5])[0]
        found.append(data[5:5 + size])
        data = data[5 + size:]
    return found


class _Handler(socketserver.BaseRequestHandler):
    """Echoes what comes on each stream, as fast as the other side's window lets it."""

    def handle(self):
        h = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8"))
        self.waiting, self.complete = {}, set()
        h.initiate_connection()
        self.request.sendall(h.data_to_send())
        while data := self.request.recv(65536):
            for event in h.receive_data(data):
                self.event(h, event)
            for stream in list(self.waiting):
                self.echo(h, stream)
            self.request.sendall(h.data_to_send())

    def event(self, h, event):
        stream = getattr(event, "stream_id", 0)
        if isinstance(event, h2.events.RequestReceived):
            self.server.calls.append(dict(event.headers))
            self.waiting[stream] = b""
            h.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        elif isinstance(event, h2.events.DataReceived):
            h.acknowledge_received_data(event.flow_controlled_length, stream)
            self.waiting[stream] += event.data
        elif isinstance(event, h2.events.StreamEnded):
            self.complete.add(stream)
        elif isinstance(event, h2.events.StreamReset):
            self.waiting.pop(stream, None)

    def echo(self, h, stream):
        while self.waiting[stream] and (room := min(h.local_flow_control_window(stream), 16384)):
            h.send_data(stream, self.waiting[stream][:room])
            self.waiting[stream] = self.waiting[stream][room:]
        if not self.waiting[stream] and stream in self.complete:
            h.send_headers(stream, [("grpc-status", "0"), ("x-trailer", "seen")], end_stream=True)
            del self.waiting[stream]


class Server:
    """An echo server on a port of its own; calls holds the metadata of each call."""

    def __init__(self):
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.calls = self.calls = []
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Answer:
    def __init__(self):
        self.headers, self.trailers, self.data, self.trailers_only = {}, {}, b"", False

    @property
    def messages(self):
        return messages(self.data)

    @property
    def grpc_status(self):
        """From the trailers, or from the headers where there is nothing else."""
        return {**self.headers, **self.trailers}.get("grpc-status")


class Client:
    """One connection with one stream, HTTP/2 from its first byte."""

    def __init__(self, port):
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.http.initiate_connection()
        self.flush()
        self.answer, self.ended = Answer(), False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def flush(self):
        self.sock.sendall(self.http.data_to_send())

    def request(self, headers, token=None, end=False):
        if token is not None:
            headers = [*headers, ("authorization", f"Bearer {token}")]
        self.http.send_headers(1, headers, end_stream=end)
        self.flush()

    def send(self, data):
        """At once, up to the window that a connection begins with."""
        while data:
            self.http.send_data(1, data[:16384])
            data = data[16384:]
        self.flush()

    def read(self, until):
        """Takes what comes until this is true of the answer, or the stream ends."""
        while not self.ended and not until(self.answer) and (data := self.sock.recv(65536)):
            for event in self.http.receive_data(data):
                self.event(event)
            self.flush()
        return self.answer

    def event(self, event):
        if isinstance(event, h2.events.ResponseReceived):
            self.answer.headers = dict(event.headers)
            self.answer.trailers_only = event.stream_ended is not None
        elif isinstance(event, h2.events.DataReceived):
            self.answer.data += event.data
            self.http.acknowledge_received_data(event.flow_controlled_length, 1)
        elif isinstance(event, h2.events.TrailersReceived):
            self.answer.trailers = dict(event.headers)
        elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset,
                                h2.events.ConnectionTerminated)):
            self.ended = True


def call(port, method="/test.Echo/Say", sent=(b"hello",), token=None, metadata=()):
    """One gRPC call on a connection of its own."""
    with Client(port) as client:
        client.request([(":method", "POST"), (":scheme", "http"), (":path", method),
                        (":authority", "localhost"), ("content-type", "application/grpc"),
                        ("te", "trailers"), *metadata], token)
        client.send(b"".join(map(message, sent)))
        client.http.end_stream(1)
        client.flush()
        return client.read(lambda answer: False)


def websocket(port, token=None, data=b"ping"):
    """RFC 8441: the status of an extended CONNECT, and what comes back for data."""
    with Client(port) as client:
        settings = h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL
        while settings not in client.http.remote_settings:
            client.http.receive_data(client.sock.recv(65536))
        client.request([(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
                        (":path", "/socket"), (":authority", "localhost"),
                        ("sec-websocket-version", "13")], token)
        status = client.read(lambda answer: answer.headers).headers[":status"]
        if status == "200":
            client.send(data)
            client.read(lambda answer: len(answer.data) >= len(data))
        return int(status), client.answer.data
