#!/usr/bin/env python3
"""
How many connections to the application do marks cost? HAProxy keeps idle ones for
each mark, and by default so few that identities push each other out. For some
numbers of identities and values of pool-low-conn: new connections for 1000
requests, after every identity has been there once.

  tests/bench/pool.py [HAPROXY]      as root, in a network namespace of its own
"""
import http.client
import http.server
import os
import subprocess
import sys
import tempfile
import threading
import time

IDENTITIES = 4, 32, 128
LOW = 0, 64, 256
CLIENTS, REQUESTS, THREADS = 8, 1000, 2

CONFIG = """\
global
  nbthread {threads}
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
frontend fe
  bind 127.0.0.1:18080
  http-request set-bc-mark req.hdr(x-mark),add(0)
  default_backend be
backend be
  http-reuse safe
  server app 127.0.0.1:18081{low}
"""


class Application(http.server.ThreadingHTTPServer):
    daemon_threads = True
    opened = 0

    def get_request(self):
        Application.opened += 1
        return super().get_request()

    def handle_error(self, request, client_address):
        """HAProxy resets idle connections that are too many: that is what is counted."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def ask(identities, requests, first):
    """One client: requests of one identity after the other on a connection that it keeps."""
    connection = http.client.HTTPConnection("127.0.0.1", 18080, timeout=10)
    for i in range(requests):
        mark = 0x0B00 | (256 + (first + i) % identities) << 16
        connection.request("GET", "/", headers={"X-Mark": str(mark)})
        connection.getresponse().read()
    connection.close()


def round_of(identities, requests):
    clients = [threading.Thread(target=ask, args=(identities, requests // CLIENTS, i * 7))
               for i in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def measure(haproxy, identities, low):
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write(CONFIG.format(threads=THREADS, low=f" pool-low-conn {low}" if low else ""))
        config.flush()
        with subprocess.Popen([*haproxy, "-db", "-f", config.name]) as process:
            try:
                for _ in range(100):
                    try:
                        ask(identities, 1, 0)
                        break
                    except OSError:
                        time.sleep(0.05)
                round_of(identities, max(REQUESTS, 2 * identities * CLIENTS))
                before = Application.opened
                round_of(identities, REQUESTS)
                return Application.opened - before
            finally:
                process.terminate()


def main():
    if os.environ.get("POOL_INSIDE") != "1":
        os.execvpe("unshare", ["unshare", "--net", sys.executable, *sys.argv],
                   {**os.environ, "POOL_INSIDE": "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    haproxy = sys.argv[1:] or ["haproxy"]
    server = Application(("127.0.0.1", 18081), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"new connections for {REQUESTS} requests of {CLIENTS} clients, {THREADS} threads of HAProxy")
    print("identities " + "".join(f"{'default' if not low else low:>10}" for low in LOW))
    for identities in IDENTITIES:
        print(f"{identities:>10} " + "".join(
            f"{measure(haproxy, identities, low):>10}" for low in LOW), flush=True)


if __name__ == "__main__":
    main()
