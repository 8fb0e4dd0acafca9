"""A client of an object store for the tests, with a signature of its own (AWS Signature Version 4)."""

import datetime
import hashlib
import hmac
import http.client
import re
from typing import NamedTuple
from urllib.parse import quote, urlencode



class Answer(NamedTuple):
    status: int
    headers: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode()


class Bucket:
    def __init__(self, endpoint, name, access, secret, region="us-east-1"):
        self.endpoint, self.name = endpoint, name
        self.access, self.secret, self.region = access, secret, region

    def call(self, method, key="", query=(), body=b"", expect=(200, 204, 206), headers=None):
        """One request, signed; `query` a list of pairs."""
        host = self.endpoint.split("://")[1]
        path = f"/{self.name}" + (f"/{quote(key)}" if key else "")
        asked = urlencode(sorted(query), quote_via=quote, safe="")
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        signed = "host;x-amz-content-sha256;x-amz-date"
        canonical = "\n".join((method, path, asked, f"host:{host}", f"x-amz-content-sha256:{digest}", f"x-amz-date:{now}", "",
                               signed, digest))
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        key_bytes = ("AWS4" + self.secret).encode()
        for word in scope.split("/"):
            key_bytes = hmac.new(key_bytes, word.encode(), hashlib.sha256).digest()
        signature = hmac.new(key_bytes, text.encode(), hashlib.sha256).hexdigest()
        link = http.client.HTTPConnection(host, timeout=30)  # not requests, whose answers are held against our description
        link.request(method, path + (f"?{asked}" if asked else ""), body=body, headers={
            "x-amz-date": now, "x-amz-content-sha256": digest, **(headers or {}),
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={signed}, Signature={signature}"})
        got = link.getresponse()
        answer = Answer(got.status, got.headers, got.read())
        link.close()
        assert expect is None or answer.status in expect, (method, path, answer.status, answer.body[:500])
        return answer

    def make(self):
        self.call("PUT")

    def keys(self, prefix=""):
        """All keys, in order; fewer than a page."""
        answer = self.call("GET", query=[("list-type", "2"), ("prefix", prefix), ("max-keys", "1000")])
        assert "<IsTruncated>false" in answer.text
        return re.findall(r"<Contents><Key>([^<]*)</Key>", answer.text)

    def uploads(self, prefix=""):
        """Keys of uploads that were begun and have not ended."""
        answer = self.call("GET", query=[("uploads", ""), ("prefix", prefix)])
        return [re.search(r"<Key>([^<]*)</Key>", one)[1] for one in re.findall(r"<Upload>.*?</Upload>", answer.text, re.DOTALL)]

    def get(self, key):
        return self.call("GET", key).body

    def put(self, key, body):
        self.call("PUT", key, body=body)

    def remove(self, key):
        self.call("DELETE", key)

    def begin_upload(self, key):
        return re.search(r"<UploadId>([^<]*)<", self.call("POST", key, query=[("uploads", "")]).text)[1]
