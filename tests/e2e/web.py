"""Both ends of HTTP: a client that can be rude, and backends that say what reached them."""
import base64
import hashlib
import http.client
import http.server
import json
import socket
import struct
import sys
import threading
import time


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def seen(self):
        """What the backend saw: {"backend", "path", "headers": [[name, value]...]}."""
        return json.loads(self.body)

    def backend(self):
        return self.seen()["backend"]

    def header(self, name):
        """The values that the backend saw for this header."""
        return [v for n, v in self.seen()["headers"] if n.lower() == name.lower()]


class Connection:
    """One client connection that stays open until close()."""

    def __init__(self, port, timeout=5, local_port=0):
        source = ("127.0.0.1", local_port) if local_port else None
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout,
                                               source_address=source)
        self.http.connect()
        self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local = self.http.sock.getsockname()

    def get(self, path="/", token=None, headers=()):
        self.http.putrequest("GET", path, skip_accept_encoding=True)
        if token is not None:
            self.http.putheader("Authorization", f"Bearer {token}")
        for name, value in headers:
            self.http.putheader(name, value)
        self.http.endheaders()
        return Answer(self.http.getresponse())

    def upgrade(self, token=None, path="/socket", headers=()):
        """Opens a websocket (RFC 6455 4.1); the status. Afterwards echo() and ended()."""
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade",
                 "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name}: {value}" for name, value in headers]
        self.http.sock.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.http.sock.recv(1) or b"\r\n\r\n"
        return int(head.split()[1])

    def echo(self, data=b"ping"):
        """Does the other end of the tunnel answer?"""
        self.http.sock.sendall(data)
        return self.http.sock.recv(len(data)) == data

    def ended(self, timeout):
        """Waits for the tunnel's end; the seconds it took, or None while it is open."""
        begun = time.monotonic()
        self.http.sock.settimeout(timeout)
        try:
            while self.http.sock.recv(4096):
                pass
        except TimeoutError:
            return None
        except OSError:
            pass
        return time.monotonic() - begun

    def close(self):
        self.http.close()

    def reset(self):
        """Ends it by RST, so that its port is free at once."""
        self.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def get(port, path="/", token=None, headers=()):
    """One request on a connection of its own."""
    with Connection(port) as connection:
        return connection.get(path, token, headers)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def tunnel(self):
        """What an Upgrade asked for: whatever comes goes back."""
        self.server.upgraded = self.headers
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_header("Sec-WebSocket-Accept",  # RFC 6455 4.2.2
                         base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while data := self.connection.recv(4096):
            self.connection.sendall(data)

    def drip(self, seconds):
        """A slow download: a byte every 50 ms."""
        n = int(seconds * 20)
        self.send_response(200)
        self.send_header("Content-Length", str(n))
        self.end_headers()
        for _ in range(n):
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.05)

    def do_GET(self):
        if self.path == "/socket" and self.headers.get("Upgrade"):
            self.tunnel()
            return
        if self.path.startswith("/drip/"):
            self.drip(float(self.path.rsplit("/", 1)[1]))
            return
        body = json.dumps({"backend": self.server.name, "path": self.path,
                           "headers": self.headers.items()}).encode()
        self.server.count += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A HAProxy that reloads resets its connections; anything else is worth a trace."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Backend:
    """An application on 127.0.0.1:port; count says how many requests reached it."""

    def __init__(self, name, port):
        self.port = port
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.server.daemon_threads = True
        self.server.name, self.server.count = name, 0
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def count(self):
        return self.server.count

    def close(self):
        self.server.shutdown()
        self.server.server_close()
