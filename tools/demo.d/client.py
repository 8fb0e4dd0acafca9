"""client: one client of the API, in one sandbox: its headers, its token, its calls.

The only file that speaks HTTP. A status other than the one expected, and a stack that does not
answer, is a Failure with what the server said. Callers: the other parts of the demo.
"""
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

from show import Failure

TIMEOUT_SECONDS = 60

# a proxy of the environment has no business between us and a stack on this machine
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer:
    def __init__(self, status, body):
        self.status, self.body = status, body

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failure(f"an answer is not JSON ({error}): {self.body[:200]!r}") from None


def send(request):
    try:
        with OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", error)
        raise Failure(f"{request.get_method()} {request.full_url}: no answer ({reason}); is the stack up?") from None


def expect(answer, status, request):
    if answer.status != status:
        text = answer.body[:400].decode("utf-8", "replace")
        raise Failure(f"{request.get_method()} {request.full_url}: {answer.status} instead of {status}: {text}")
    return answer


class Client:
    def __init__(self, url, org, sandbox, client_id, client_secret):
        self.url, self.org, self.sandbox = url, org, sandbox
        self.client_id, self.client_secret = client_id, client_secret
        self.token = None

    def elsewhere(self, **changes):
        """The same client, its token too, with another org or sandbox in the headers."""
        other = Client(self.url, self.org, self.sandbox, self.client_id, self.client_secret)
        other.token = self.token
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def log_in(self):
        """Fetches a token. False: the stack does not know this client, or not with this secret."""
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.client_id,
                                       "client_secret": self.client_secret, "scope": "openid"})
        request = urllib.request.Request(f"{self.url}/ims/token/v3", form.encode())
        answer = send(request)
        if answer.status in (400, 401):
            return False
        self.token = expect(answer, 200, request).json()["access_token"]
        return True

    def call(self, method, target, body=None, status=200):
        """One call. `target` is a path or one of the server's own links; `body` a document to send as
        JSON, or an open binary file. Status None: any will do."""
        address = target if "://" in target else self.url + target
        headers = {"Authorization": f"Bearer {self.token}", "x-api-key": self.client_id,
                   "x-gw-ims-org-id": self.org, "x-sandbox-name": self.sandbox}
        if hasattr(body, "fileno"):
            headers["Content-Type"] = "application/octet-stream"
            headers["Content-Length"] = str(body.seek(0, 2))
            body.seek(0)
        elif body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        request = urllib.request.Request(address, body, headers, method=method)
        answer = send(request)
        return answer if status is None else expect(answer, status, request)

    def get(self, target, **more):
        return self.call("GET", target, **more)
