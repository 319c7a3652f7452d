"""An agent that answers every request and gives no verdict."""
import os
import socket
import socketserver
import threading

import spop


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.connections.append(self.request)
        buffer = b""
        try:
            while data := self.request.recv(65536):
                buffer += data
                while True:
                    try:
                        frame, size = spop.decode_frame(buffer)
                    except spop.NeedMore:
                        break
                    buffer = buffer[size:]
                    self.answer(frame)
        except OSError:
            pass

    def answer(self, frame):
        if frame.type == spop.HAPROXY_HELLO:
            self.request.sendall(spop.encode_frame(
                spop.AGENT_HELLO, spop.encode_agent_hello(1024 if self.is_check(frame) else
                                                          spop.MAX_FRAME)))
        elif frame.type == spop.NOTIFY:
            self.server.asked += 1
            self.request.sendall(spop.encode_frame(
                spop.ACK, spop.encode_ack([spop.UnsetVar(spop.TXN, "mark")]),
                frame.stream_id, frame.frame_id))

    @staticmethod
    def is_check(frame):
        return b"healthcheck" in frame.payload


class Agent:
    """Listens on a unix socket that anybody may open; asked counts its requests."""

    def __init__(self, path):
        self.path = path
        self.server = socketserver.ThreadingUnixStreamServer(path, _Handler)
        os.chmod(path, 0o666)
        self.server.daemon_threads = True
        self.server.connections, self.server.asked = [], 0
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def asked(self):
        return self.server.asked

    def close(self):
        """Nobody listens any more, and what was open is gone."""
        self.server.shutdown()
        self.server.server_close()
        os.unlink(self.path)
        for connection in self.server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
