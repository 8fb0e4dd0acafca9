"""Access tokens made by the tests themselves: expired, forged, malformed.

Signs with the stack's own key ($CONSIGN_DIR/keys/ims-signing.pem) what the
token endpoint would never issue. Profile rfc9068 of contract section 2.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Forge:
    """Makes variations of a real token; `real` is one that the endpoint issued."""

    def __init__(self, stack, real):
        self.head, self.claims = (json.loads(unb64(part)) for part in real.split(".")[:2])
        pem = (stack.dir / "keys" / "ims-signing.pem").read_bytes()
        self.key = serialization.load_pem_private_key(pem, None)
        self.stranger = rsa.generate_private_key(65537, 2048)

    def token(self, head=None, claims=None, key=None):
        """A token with some members changed (None removes), signed by the real key."""
        now = int(time.time())
        fresh = {"iat": now, "exp": now + 600, "jti": str(uuid.uuid4())}
        return self.sign(changed(self.head, head), changed({**self.claims, **fresh}, claims), key)

    def sign(self, head, claims, key=None):
        """head and claims are objects, or texts that are taken as they are."""
        text = ".".join(b64(part.encode() if isinstance(part, str) else json.dumps(part).encode())
                        for part in (head, claims))
        signature = (key or self.key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{b64(signature)}"

    def expired(self):
        return self.token(claims={"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600})

    def forged(self):
        """Right in every claim and key id, signed by a stranger's key."""
        return self.token(key=self.stranger)

    def unsigned(self):
        body = self.token(head={"alg": "none"}).rsplit(".", 1)[0]
        return body + "."

    def confused(self):
        """HS256 keyed with the public key's text: the classic algorithm confusion."""
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        text = self.token(head={"alg": "HS256"}).rsplit(".", 1)[0]
        return f"{text}.{b64(hmac.new(public, text.encode(), hashlib.sha256).digest())}"

    def own_key_in_header(self):
        """Signed by a stranger whose public key the header carries."""
        numbers = self.stranger.public_key().public_numbers()
        jwk = {"kty": "RSA", "e": "AQAB", "n": b64(numbers.n.to_bytes(256, "big"))}
        return self.token(head={"jwk": jwk}, key=self.stranger)

    def altered(self):
        """A claim changed after signing."""
        head, _, signature = self.token().split(".")
        claims = {**self.claims, "exp": int(time.time()) + 86400 * 365}
        return f"{head}.{b64(json.dumps(claims).encode())}.{signature}"

    def duplicate_claim(self):
        """Two `client_id` members: parsers disagree about which one counts."""
        plain = json.dumps(changed(self.claims, {"exp": int(time.time()) + 600}))
        doubled = '{"client_id":"somebody-else",' + plain[1:]
        return self.sign(self.head, doubled)


def changed(members, changes):
    out = {**members, **(changes or {})}
    return {name: value for name, value in out.items() if value is not None}
