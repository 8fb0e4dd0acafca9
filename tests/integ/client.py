"""One API client working in one sandbox: headers, token, requests.

Every test speaks to the stack through this class, except the ones that need
malformed HTTP (rawhttp.py). Safe to share between threads.
"""

import copy
import json as jsonlib
import threading

import requests

JSON = "application/json"


class Client:
    """Credentials plus sandbox; call() sends one request and may check its status."""

    def __init__(self, stack, org, sandbox, client_id, client_secret):
        self.stack = stack
        self.url = stack.url
        self.org = org
        self.sandbox = sandbox
        self.client_id = client_id
        self.client_secret = client_secret
        self._token = None
        self._local = threading.local()

    def in_sandbox(self, sandbox):
        """The same client (and token) working in another sandbox of its org."""
        twin = copy.copy(self)
        twin.sandbox = sandbox
        twin._local = threading.local()
        return twin

    @property
    def token(self):
        if self._token is None:
            answer = token_request(self.stack, self.client_id, self.client_secret)
            assert answer.status_code == 200, answer.text
            self._token = answer.json()["access_token"]
        return self._token

    def headers(self):
        """The four headers every /data/ call needs (contract section 2)."""
        return {
            "Authorization": f"Bearer {self.token}",
            "x-api-key": self.client_id,
            "x-gw-ims-org-id": self.org,
            "x-sandbox-name": self.sandbox,
        }

    def call(self, method, path, *, json=None, body=None, headers=None, params=None,
             expect=None, stream=False, timeout=75):
        """Send one request. A header given as None is left out; expect is a status or a tuple."""
        sent = self.headers()
        if json is not None:
            body = jsonlib.dumps(json).encode()
        if body is not None and method != "PUT":
            sent["Content-Type"] = JSON
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        url = path if path.startswith("http") else self.url + path
        answer = self._session().request(method, url, data=body, headers=sent, params=params,
                                         stream=stream, timeout=timeout, allow_redirects=False)
        if expect is not None:
            wanted = expect if isinstance(expect, tuple) else (expect,)
            assert answer.status_code in wanted, \
                f"{method} {path}: {answer.status_code}, wanted {expect}: {answer.text[:600]}"
        return answer

    def get(self, path, expect=200, **more):
        return self.call("GET", path, expect=expect, **more)

    def post(self, path, json=None, expect=None, **more):
        return self.call("POST", path, json=json, expect=expect, **more)

    def delete(self, path, expect=204, **more):
        return self.call("DELETE", path, expect=expect, **more)

    def put(self, path, body, expect=200, **more):
        headers = {"Content-Type": "application/octet-stream", **(more.pop("headers", None) or {})}
        return self.call("PUT", path, body=body, expect=expect, headers=headers, **more)

    def _session(self):
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        return self._local.session


def token_request(stack, client_id, client_secret, changes=None):
    """POST /ims/token/v3; a change to None leaves the member out. Returns the response."""
    form = {"grant_type": "client_credentials", "client_id": client_id,
            "client_secret": client_secret, "scope": "openid"}
    form.update(changes or {})
    form = {name: value for name, value in form.items() if value is not None}
    return requests.post(stack.url + "/ims/token/v3", data=form, timeout=20)
