#!/usr/bin/env python3
"""
Clients that ask one HAProxy without a pause and count what became of every
request. A process of its own, so that it does not share a lock with the
backends:

    with Load(port, token, clients=8) as load:
        load.more(200)        # until so many more requests have been answered
        ...
    load.counts               # {"200": 1234}; anything else was lost

A response that says so, or a connection that HAProxy closed behind it, makes
the client connect anew; a request without a response is "broken".
"""
import json
import os
import socket
import subprocess
import sys
import threading
import time

import procs

REPORT_SECONDS = 0.02


class Broken(Exception):
    pass


class Client:
    def __init__(self, port, request):
        self.port, self.request = port, request
        self.socket = None

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()
        self.socket = None

    def _response(self):
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.socket.recv(65536)
            if not more:
                raise Broken(f"closed after {len(data)} bytes")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        fields = dict(line.split(b":", 1) for line in lines[1:])
        left = int(fields.get(b"content-length", b"0")) - len(body)
        while left > 0:
            more = self.socket.recv(left)
            if not more:
                raise Broken(f"{left} bytes are missing")
            left -= len(more)
        return lines[0].split()[1].decode(), fields.get(b"connection", b"").strip() == b"close"

    def ask(self):
        """The status of one request, or why there is none."""
        try:
            if not self.socket:
                self.connect()
            self.socket.sendall(self.request)
            status, last = self._response()
        except (OSError, Broken) as error:
            if self.socket:
                self.close()
            return f"broken: {error}"
        if last:
            self.close()
        return status


def run(port, clients, request):
    """In the child: until stdin ends, then prints the counts. Before that, how many so far."""
    counts, lock, done = {}, threading.Lock(), threading.Event()

    def loop():
        client, mine = Client(port, request), {}
        while not done.is_set():
            status = client.ask()
            mine[status] = mine.get(status, 0) + 1
            with lock:
                counts[status] = counts.get(status, 0) + 1

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()

    def report():
        while not done.wait(REPORT_SECONDS):
            with lock:
                print(sum(counts.values()), flush=True)

    reporter = threading.Thread(target=report)
    reporter.start()
    sys.stdin.read()
    done.set()
    for thread in [*threads, reporter]:
        thread.join(15)
    print(json.dumps(counts), flush=True)


class Load:
    def __init__(self, port, token, clients=8, run=(sys.executable, os.path.abspath(__file__))):
        """run: how this file is started, for clients elsewhere."""
        self.counts, self.seen = None, 0
        self.child = subprocess.Popen(
            [*run, str(port), str(clients)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "LOAD_TOKEN": token})
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            if line.startswith("{"):
                self.counts = json.loads(line)
            else:
                self.seen = int(line)

    def more(self, n=200, timeout=60.0):
        """Returns when n more requests have ended."""
        want = self.seen + n
        procs.eventually(lambda: self.seen >= want or self.child.poll() is not None, timeout,
                         what=f"{n} more requests")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(60)
        self.reader.join()
        self.child.stdout.close()

    @property
    def asked(self):
        return sum(self.counts.values())

    @property
    def lost(self):
        return self.asked - self.counts.get("200", 0)


def main():
    request = ("GET / HTTP/1.1\r\nHost: load.test\r\n"
               f"Authorization: Bearer {os.environ['LOAD_TOKEN']}\r\n\r\n").encode()
    run(int(sys.argv[1]), int(sys.argv[2]), request)


if __name__ == "__main__":
    main()
