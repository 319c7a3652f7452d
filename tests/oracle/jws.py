#!/usr/bin/python3
"""
A second opinion on tokens: Debian's python3-jwcrypto, so Debian's own Python.

One question a line on stdin, one answer a line on stdout, both JSON:
  {"token", "keys": JWK set, "algs": [...]}  ->  {"payload": text} or {"refused": why}
The signature alone is judged, and only under keys whose kid the token names.
"""
import base64
import json
import sys

from jwcrypto import jwk, jws


def judge(question):
    token = jws.JWS()
    token.allowed_algs = question["algs"]
    token.deserialize(question["token"])
    header = json.loads(base64.urlsafe_b64decode(question["token"].split(".")[0] + "=="))
    keys = [k for k in question["keys"]["keys"] if header.get("kid") in (None, k.get("kid"))]
    for key in keys:
        if key.get("alg") not in (None, header["alg"]):
            continue
        try:
            token.verify(jwk.JWK(**key))
            return {"payload": token.payload.decode("utf-8", "surrogateescape")}
        except (jws.InvalidJWSSignature, ValueError, TypeError) as error:
            why = str(error)
    return {"refused": why if keys else "no key"}


def main():
    for line in sys.stdin:
        try:
            answer = judge(json.loads(line))
        except Exception as error:  # whatever it does not like
            answer = {"refused": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
