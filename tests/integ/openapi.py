"""The service's OpenAPI document, and whether what the tests see is as it says.

conftest.py hands every answer that comes by requests, and rawhttp.py every one of its own, to check(). A
deviation is kept, not raised: it may be seen in a thread, or where a test expects trouble. The fixture
`described` fails the test in which it was seen.
"""

import functools
import json
import pathlib
import re
import threading
from urllib.parse import parse_qsl, unquote

import yaml
from jsonschema import Draft202012Validator

PARTS = pathlib.Path(__file__).resolve().parents[2] / "nginx" / "openapi"
JSON = "application/json"
PROBLEM = "application/problem+json"
PAGES = ("/openapi.yaml", "/docs")  # the document itself, and the page made from it

_faults = []
_lock = threading.Lock()


def text():
    """The document as nginx/render joins it."""
    return "".join(part.read_text(encoding="utf-8") for part in sorted(PARTS.glob("*.yaml")))


@functools.lru_cache(maxsize=None)
def document():
    """The document with every reference replaced by what it names, so that nothing is looked up later.

    What refers to itself becomes a ring of dictionaries.
    """
    tree = yaml.load(text(), Loader=yaml.CSafeLoader)
    known = {}

    def find(pointer):
        node = tree
        for name in pointer.removeprefix("#/").split("/"):
            node = node[name]
        return node

    def whole(node):
        if id(node) in known:
            return known[id(node)]
        if isinstance(node, list):
            made = known[id(node)] = []
            made.extend(whole(item) for item in node)
        elif isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                return whole(find(node["$ref"]))
            made = known[id(node)] = {}
            made.update((name, whole(value)) for name, value in node.items())
        else:
            made = node
        return made

    return whole(tree)


@functools.lru_cache(maxsize=None)
def _templates():
    """(pattern, path) of every path; those with fewer variables first, as the service matches them."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path)) + "/?"), path) for path in paths]


def is_segment(text):
    """Whether the service takes it for a variable part of a path: it decodes to plain text, and not to . or .. ."""
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        return False
    return plain not in (".", "..") and not re.search(r"[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})", plain + text)


def find_path(path):
    """The item of the document that a request's path belongs to, or None."""
    for pattern, template in _templates():
        fits = pattern.fullmatch(path)
        if fits:
            return document()["paths"][template] if all(map(is_segment, fits.groups())) else None
    return None


class Schema:
    """A schema of the document, compiled, and which texts it has found good."""

    def __init__(self, schema):
        self.validator = Draft202012Validator(schema)
        self.good = set()

    def fault(self, value):
        """None, or the first thing that is wrong."""
        error = next(self.validator.iter_errors(value), None)
        return error and f"{error.json_path}: {error.message[:300]}"

    def text_fault(self, raw, parse=json.loads):
        """The same of a text. What was good once is not looked at again."""
        mark = hash(raw)
        if mark in self.good:
            return None
        try:
            fault = self.fault(parse(raw))
        except ValueError:
            return "can't be read"
        if fault is None:
            self.good.add(mark)
        return fault


_schemas = {}


def compiled(schema):
    """The Schema of a node of the document."""
    found = _schemas.get(id(schema))
    if found is None:
        found = _schemas[id(schema)] = Schema(schema)
    return found


def plain_fault(schema, text):
    """What is wrong with a parameter or header, or None."""
    integer = schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]+", text)
    return compiled(schema).text_fault(text, int if integer else str)


def answer_fault(operation, method, status, headers, body):
    """What of an answer is not as the operation says, or None. body None: it was not read."""
    response = operation["responses"].get(str(status))
    if response is None:
        if "servers" in operation and status == 404:
            return None  # what only the operators' listener offers, asked of the other one
        return f"status {status} is not described"
    for name, header in response.get("headers", {}).items():
        value = headers.get(name)
        if value is None and header.get("required"):
            return f"{status} without {name}"
        fault = value is not None and plain_fault(header["schema"], value)
        if fault:
            return f"{status}, header {name}: {fault}"
    content = response.get("content")
    if content is None:
        return f"{status} with a body" if body else None
    media = headers.get("Content-Type", "").partition(";")[0]
    if media not in content:
        return f"{status} as {media or 'nothing'}, which is not described"
    schema = content[media]["schema"]
    if method == "HEAD" or body is None or schema.get("format") == "binary":
        return None
    fault = compiled(schema).text_fault(body, json.loads if media in (JSON, PROBLEM) else bytes.decode)
    return fault and f"{status}, {fault}"


def refusal_fault(method, status, headers, body):
    """The same where the document has no operation: only a refusal may come, and if nothing else is wrong, that
    there is no such path or method."""
    name = {404: "ProblemNoSuchPath", 405: "ProblemMethodNotAllowed"}.get(status, "Problem")
    if status < 400:
        return f"{status} where nothing is described"
    if status == 405 and not headers.get("Allow"):
        return "405 without Allow"
    if method == "HEAD":
        return None
    fault = compiled(document()["components"]["schemas"][name]).text_fault(body)
    return fault and f"{status}, {fault}"


def request_fault(operation, query, body):
    """What of a request that was carried out is not as the operation says, or None."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    for parameter in operation["parameters"]:
        value = given.get(parameter["name"]) if parameter["in"] == "query" else None
        fault = value is not None and plain_fault(parameter["schema"], value)
        if fault:
            return f"query {parameter['name']}: {fault}"
    media = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if media is None or not isinstance(body, bytes):
        return None
    fault = compiled(media["schema"]).text_fault(body)
    return fault and f"request, {fault}"


def find_fault(method, target, sent, status, headers, body):
    """What is not as the document says about a request and its answer, or None. target: path and query."""
    path, _, query = target.partition("?")
    if path.startswith(PAGES):
        return None
    item = find_path(path)
    operation = item and item.get("get" if method == "HEAD" else method.lower())
    if not operation:
        return refusal_fault(method, status, headers, body)
    whole = {**item, **operation, "parameters": item["parameters"] + operation.get("parameters", [])}
    fault = answer_fault(whole, method, status, headers, body)
    if fault is None and status < 300:
        fault = request_fault(whole, query, sent)
    return fault


def check(method, target, sent, status, headers, body):
    """Keeps what find_fault() finds for the fixture `described`."""
    fault = find_fault(method, target, sent, status, headers, body)
    if fault is not None:
        with _lock:
            _faults.append(f"{method} {target.partition('?')[0]}: {fault}")


def check_response(answer, streamed):
    """The same of an answer of requests. What is streamed is not read here."""
    request = answer.request
    check(request.method, request.path_url, request.body, answer.status_code, answer.headers,
          None if streamed else answer.content)


def take_faults():
    """What check() has found since it was asked last."""
    with _lock:
        found = list(dict.fromkeys(_faults))
        _faults.clear()
    return found
