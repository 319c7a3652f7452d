#!/usr/bin/env python3
"""
The demo's identity provider: discovery and JWKS over HTTP, from the files of a
folder. Keys rotate when somebody replaces jwks.json.

  idp.py FOLDER PORT
"""
import functools
import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {"": "application/json"}

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    folder, port = sys.argv[1], int(sys.argv[2])
    http.server.ThreadingHTTPServer(
        ("127.0.0.1", port), functools.partial(Handler, directory=folder)).serve_forever()
