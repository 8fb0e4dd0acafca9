"""Tokens of any algorithm, signed by keys that the tests make; and the listener nobody may call.

tokens.py varies the stack's own tokens; this makes them from nothing, for issuers of our own.
"""

import hashlib
import hmac
import json
import socket
import threading

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tokens import b64


def part(value):
    """base64url of an object as JSON, or of a text or bytes as they are."""
    if isinstance(value, bytes):
        return b64(value)
    return b64((value if isinstance(value, str) else json.dumps(value)).encode())


def sign(key, text):
    """The signature by the algorithm of the key; a bytes key is the secret of HS256."""
    if isinstance(key, bytes):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(text.encode())


def token(head, claims, key):
    text = f"{part(head)}.{part(claims)}"
    return f"{text}.{b64(sign(key, text))}"


def new_es256():
    return ec.generate_private_key(ec.SECP256R1())


def new_eddsa():
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key, **more):
    """The public half as a JSON Web Key."""
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = public.public_numbers()
        members = {"kty": "RSA", "e": "AQAB", "n": b64(numbers.n.to_bytes(key.key_size // 8, "big"))}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        numbers = public.public_numbers()
        members = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")),
                   "y": b64(numbers.y.to_bytes(32, "big"))}
    else:
        members = {"kty": "OKP", "crv": "Ed25519",
                   "x": b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    return {**members, **more}


class Listener:
    """Listens on a loopback port and counts who connects."""

    def __init__(self):
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            link.close()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
