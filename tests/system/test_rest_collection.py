#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The tutorial's REST collection, by a client that knows nothing of it but its OpenAPI document.

    test_rest_collection.py BUILD_DIR ROOT

For each operation valid calls are made, and then every mistake that its parameters and its body leave room for. What is
answered must be declared: the status, the type, and what is in the body. In the end each status below 500 that the
document declares must have been seen. Prints TAP.
"""
import http.client
import itertools
import json
import pathlib
import re
import subprocess
import sys
from urllib.parse import quote, urlencode

from serving import SECONDS, App, check, run_cases

BUILD = pathlib.Path(sys.argv[1])
PROGRAM = BUILD / "examples" / "20_rest_collection"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


# ---- the document ----


def check_schema(schema, document):
    """As far as it is used here: JSON Schema 2020-12."""
    if "$ref" in schema:
        assert schema["$ref"].startswith("#/"), schema
        found = document
        for part in schema["$ref"][2:].split("/"):
            found = found[part]
        return check_schema(found, document)
    assert schema.get("type", "string") in TYPES, schema
    for lowest, highest in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
        assert schema.get(lowest, 0) <= schema.get(highest, schema.get(lowest, 0)), schema
    for member in schema.get("properties", {}).values():
        check_schema(member, document)
    assert set(schema.get("required", [])) <= set(schema.get("properties", {})), schema
    if "items" in schema:
        check_schema(schema["items"], document)


def check_operation(path, operation, document):
    parameters = operation.get("parameters", [])
    names = [(parameter["in"], parameter["name"]) for parameter in parameters]
    check(len(names), len(set(names)), "parameters come once")
    check({name for place, name in names if place == "path"}, set(re.findall(r"\{([^}]*)\}", path)), path)
    for parameter in parameters:
        assert parameter["in"] in ("path", "query", "header", "cookie"), parameter
        assert parameter["in"] != "path" or parameter["required"] is True, parameter
        check_schema(parameter["schema"], document)
    assert operation["responses"], path
    contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
    for status, response in operation["responses"].items():
        assert re.fullmatch(r"[1-5][0-9][0-9]|default", status), status
        assert isinstance(response["description"], str), response
        contents.append(response.get("content", {}))
    for content in contents:
        for media_type, described in content.items():
            assert "/" in media_type, media_type
            check_schema(described.get("schema", {}), document)


def check_document(document):
    """What OpenAPI 3.1 asks of the parts that are there."""
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"]), document["openapi"]
    assert set(document) <= {"openapi", "info", "servers", "paths", "components", "tags"}, set(document)
    assert document["info"]["title"] and document["info"]["version"], document["info"]
    identities, shapes = [], []
    for path, item in document["paths"].items():
        assert path.startswith("/"), path
        shapes.append(re.sub(r"\{[^}]*\}", "{}", path))
        for method, operation in item.items():
            assert method in METHODS, method
            identities.append(operation["operationId"])
            check_operation(path, operation, document)
    check(len(identities), len(set(identities)), "each operationId comes once")
    check(len(shapes), len(set(shapes)), "paths that differ in names only are one")


# ---- values ----


def mismatch(value, schema, document, where="it"):
    """Why a value is not as its schema says; None when it is."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return mismatch(value, document["components"]["schemas"][name], document, where)
    if "type" in schema:
        wanted = TYPES[schema["type"]]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            return f"{where} is {value!r}, no {schema['type']}"
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return f"{where} has {len(value)} characters"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"{where} is {value}"
    if isinstance(value, list):
        return next(filter(None, (mismatch(item, schema.get("items", {}), document, f"{where}[]") for item in value)), None)
    if not isinstance(value, dict):
        return None
    members = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            return f"{where} has no {name}"
    for name, member in value.items():
        if name not in members and schema.get("additionalProperties", True) is False:
            return f"{where} has {name}"
        wrong = mismatch(member, members.get(name, {}), document, f"{where}.{name}")
        if wrong:
            return wrong
    return None


COUNTER = itertools.count(1)


def valid(schema):
    """A value that is as the schema says: of strings another one each time."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "object":
        return {name: valid(member) for name, member in schema.get("properties", {}).items()}
    if kind == "array":
        return [valid(schema.get("items", {}))]
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return f"{next(COUNTER):06}"[: schema.get("maxLength", 6)]


def invalid(schema):
    """Values that are not as the schema says."""
    kind = schema.get("type", "string")
    yield from {"string": [7, None, [], {}, True], "integer": ["7", 1.5, None, True], "boolean": ["true", 0, None],
                "object": [[], "x", 7, None], "array": [{}, 7]}.get(kind, [])
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
        yield "ä" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield "x" * (schema["minLength"] - 1)
    for bound, step in (("minimum", -1), ("maximum", 1)):
        if bound in schema and kind == "integer":
            yield schema[bound] + step
    if kind != "object":
        return
    whole = valid(schema)
    for name in schema.get("required", []):
        yield {other: member for other, member in whole.items() if other != name}
    for name, member in schema.get("properties", {}).items():
        for wrong in invalid(member):
            yield {**valid(schema), name: wrong}
    if schema.get("additionalProperties", True) is False:
        yield {**whole, "nobody-knows": 1}


def invalid_texts(schema):
    """Texts that are no value of a parameter."""
    if schema.get("type") in ("integer", "number"):
        yield from ("x", "1x", "--1", "1.5.1", "99999999999999999999999")
    for bound, step in (("minimum", -1), ("maximum", 1)):
        if bound in schema:
            yield str(schema[bound] + step)
    if "enum" in schema:
        yield "nobody-knows"


# ---- the client ----


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        answer = self.send("GET", "/openapi.json")
        check(answer.status, 200, "the document")
        self.document = json.loads(answer.content)
        self.seen = set()

    def send(self, method, target, body=None, **fields):
        self.connection.request(method.upper(), target, body, {"Accept": "application/json", **fields})
        answer = self.connection.getresponse()
        answer.content = answer.read()
        if answer.status >= 400 and method.upper() != "HEAD":
            check(answer.headers["Content-Type"], "application/problem+json", f"{method} {target} {answer.status}")
        if answer.will_close:
            self.connection.close()
        return answer

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield path, method, operation

    def call(self, path, method, target, body=None, **fields):
        """Call an operation: what is answered is what the document declares."""
        operation = self.document["paths"][path][method]
        where = f"{method} {target} {body!r} {fields}"
        answer = self.send(method, target, body, **fields)
        declared = operation["responses"].get(str(answer.status))
        assert declared is not None, f"{where}: {answer.status} is not declared: {answer.content!r}"
        self.seen.add((path, method, answer.status))
        content = declared.get("content", {})
        media_type = (answer.headers["Content-Type"] or "").split(";")[0]
        if not content:
            check(answer.content, b"", where)
            return answer
        assert media_type in content, f"{where}: {answer.status} is {media_type}"
        answer.value = json.loads(answer.content)
        wrong = mismatch(answer.value, content[media_type].get("schema", {}), self.document)
        assert wrong is None, f"{where}: {wrong}"
        if answer.status >= 400:
            check(answer.value.get("status", answer.status), answer.status, where)
        return answer

    def make(self):
        """Something new: the path it is at, by the operation that answers 201, and what it is."""
        for path, method, operation in self.operations():
            if "201" in operation["responses"]:
                body = valid(schema_of(operation["requestBody"]))
                answer = self.call(path, method, path, json.dumps(body), **{"Content-Type": "application/json"})
                check(answer.status, 201, f"{method} {path}")
                check(self.send("get", answer.headers["Location"]).headers["ETag"], answer.headers["ETag"], "what is there")
                return answer.headers["Location"], answer.value, body
        raise AssertionError("nothing can be made")

    def target_of(self, path):
        """A path with its parameters filled in by something that is there."""
        if "{" not in path:
            return path
        location, made, _ = self.make()
        target = re.sub(r"\{([^}]*)\}", lambda found: quote(str(made[found[1]]), safe=""), path)
        check(location, target, "Location")
        return target

    def fields_of(self, path, target, operation):
        """Values for the fields that are required."""
        fields = {}
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "header" and parameter.get("required"):
                check(parameter["name"], "If-Match", "a field that this client knows")
                fields["If-Match"] = self.call(path, "get", target).headers["ETag"]
        return fields

    def prepare(self, path, operation):
        """All that a valid call needs."""
        target = self.target_of(path)
        fields = self.fields_of(path, target, operation)
        body = None
        if "requestBody" in operation:
            fields["Content-Type"] = next(iter(operation["requestBody"]["content"]))
            body = json.dumps(valid(schema_of(operation["requestBody"])))
        return target, body, fields


def schema_of(described):
    return next(iter(described["content"].values()))["schema"]


def refused(answer, what):
    assert 400 <= answer.status < 500, f"{what}: {answer.status}"


# ---- what is tried ----


def try_valid(client, path, method, operation):
    target, body, fields = client.prepare(path, operation)
    answer = client.call(path, method, target, body, **fields)
    assert 200 <= answer.status < 300, answer.status
    if method == "get":
        check(client.send("HEAD", target).headers["Content-Type"], answer.headers["Content-Type"], "HEAD")
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            for value in (parameter["schema"].get("minimum", 1), parameter["schema"].get("maximum", 2)):
                answer = client.call(path, method, f"{target}?{urlencode({parameter['name']: value})}", body, **fields)
                check(answer.status, 200, f"{parameter['name']}={value}")
        elif parameter["name"] == "If-None-Match":
            etag = client.call(path, method, target).headers["ETag"]
            check(client.call(path, method, target, **{"If-None-Match": etag}).status, 304, "If-None-Match")


def try_wrong_parameters(client, path, method, operation):
    for parameter in operation["parameters"]:
        target, body, fields = client.prepare(path, operation)
        name = parameter["name"]
        for wrong in invalid_texts(parameter["schema"]):
            if parameter["in"] == "query":
                refused(client.call(path, method, f"{target}?{urlencode({name: wrong})}", body, **fields), f"{name}={wrong}")
            elif parameter["in"] == "path":
                refused(client.call(path, method, path.replace(f"{{{name}}}", quote(wrong)), body, **fields), f"{name}={wrong}")
        if parameter["in"] == "path":
            refused(client.call(path, method, path.replace(f"{{{name}}}", "987654321"), body, **fields), f"{name} of nobody")
        if parameter["in"] == "header" and parameter.get("required"):
            rest = {field: value for field, value in fields.items() if field != name}
            refused(client.call(path, method, target, body, **rest), f"no {name}")
            refused(client.call(path, method, target, body, **{**rest, name: '"of-nobody"'}), f"another {name}")


def try_wrong_bodies(client, path, method, operation):
    if "requestBody" not in operation:
        return
    schema = schema_of(operation["requestBody"])
    for wrong in invalid(schema):
        target, _, fields = client.prepare(path, operation)
        assert mismatch(wrong, schema, client.document), f"{wrong!r} is valid"
        answer = client.call(path, method, target, json.dumps(wrong), **fields)
        check(answer.status, 422, repr(wrong))
        assert answer.value["errors"], repr(wrong)
    target, body, fields = client.prepare(path, operation)
    for wrong in ("", "{", body[:-1], body + "x", body.replace('"', "'"), "\ufeff" + body, '{"a":1}}'):
        check(client.call(path, method, target, wrong.encode(), **fields).status, 400, repr(wrong))
    refused(client.call(path, method, target, b'{"title":"\xff"}', **fields), "no UTF-8")
    refused(client.call(path, method, target, "[" * 5000, **fields), "too deep")
    refused(client.call(path, method, target, json.dumps({"x": "y" * 100000}), **fields), "too large")
    for media_type in ("text/plain", "application/xml", "multipart/form-data"):
        refused(client.call(path, method, target, body, **{**fields, "Content-Type": media_type}), media_type)
    refused(client.call(path, method, target, body.encode(), **{**fields, "Content-Type": ""}), "no type")


def try_again(client, path, method, operation):
    """The same body twice: what is there already is a conflict."""
    if "409" not in operation["responses"]:
        return
    _, _, body = client.make()
    target, _, fields = client.prepare(path, operation)
    check(client.call(path, method, target, json.dumps(body), **fields).status, 409, "twice")


def each_operation(attempt):
    with App(PROGRAM) as program:
        client = Client(program.port)
        for path, method, operation in client.operations():
            attempt(client, path, method, operation)
        return client


def the_document_is_sound():
    with App(PROGRAM) as program:
        client = Client(program.port)
    check_document(client.document)
    assert len(list(client.operations())) >= 5, list(client.document["paths"])


def the_program_prints_the_same_document():
    with App(PROGRAM) as program:
        document = Client(program.port).document
    printed = subprocess.run([PROGRAM, "--routes=openapi"], capture_output=True, timeout=SECONDS, check=True).stdout
    check(json.loads(printed), document, "--routes=openapi")
    listed = json.loads(subprocess.run([PROGRAM, "--routes", "json"], capture_output=True, timeout=SECONDS, check=True).stdout)
    named = {(route["method"].lower(), route["name"]) for route in listed if "name" in route}
    told = {(method, operation["operationId"]) for item in document["paths"].values() for method, operation in item.items()}
    check(named, told, "--routes json")
    table = subprocess.run([PROGRAM, "--routes"], capture_output=True, timeout=SECONDS, check=True).stdout.decode()
    for _, name in told:
        assert f"  {name}\n" in table, table
    wrong = subprocess.run([PROGRAM, "--routes=xml"], capture_output=True, timeout=SECONDS, check=False)
    check(wrong.returncode, 2, "--routes=xml")
    assert b"--routes" in wrong.stderr and b"openapi" in wrong.stderr, wrong.stderr


def valid_calls_are_answered():
    each_operation(try_valid)


def wrong_parameters_are_refused():
    each_operation(try_wrong_parameters)


def wrong_bodies_are_refused():
    each_operation(try_wrong_bodies)


def other_methods_are_not_allowed():
    with App(PROGRAM) as program:
        client = Client(program.port)
        for path, item in client.document["paths"].items():
            target = client.target_of(path)
            allowed = {method.upper() for method in item} | {"HEAD", "OPTIONS"}
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"):
                if method in allowed:
                    continue
                answer = client.send(method, target)
                check(answer.status, 405, f"{method} {target}")
                check(set(answer.headers["Allow"].split(", ")), allowed, target)
            check(set(client.send("OPTIONS", target).headers["Allow"].split(", ")), allowed, target)
            check(client.send("FOO", target).status, 501, target)
            check(client.send("GET", target + "/").status, 404, target + "/")


def each_declared_status_is_seen():
    def try_all(*arguments):
        for attempt in (try_valid, try_wrong_parameters, try_wrong_bodies, try_again):
            attempt(*arguments)

    client = each_operation(try_all)
    declared = {(path, method, int(status)) for path, method, operation in client.operations()
                for status in operation["responses"] if int(status) < 500}
    check(declared - client.seen, set(), "declared, and never seen")


sys.exit(run_cases([
    the_document_is_sound,
    the_program_prints_the_same_document,
    valid_calls_are_answered,
    wrong_parameters_are_refused,
    wrong_bodies_are_refused,
    other_methods_are_not_allowed,
    each_declared_status_is_seen,
]))
