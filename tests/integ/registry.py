"""Schemas, identity descriptors and datasets that follow a schema, each made the usual way once."""

import flows

REGISTRY = "/data/foundation/schemaregistry/tenant"
SCHEMAS = f"{REGISTRY}/schemas"
DESCRIPTORS = f"{REGISTRY}/descriptors"
UNIONS = f"{REGISTRY}/unions"
CLASSES = {"profile": flows.XDM + "profile", "event": flows.XDM + "experienceevent"}
STRING, INTEGER, NUMBER = ({"type": name} for name in ("string", "integer", "number"))


def obj(**members):
    """A definition of an object with these members."""
    return {"type": "object", "properties": members}


def schema_body(kind="profile", title="schema", **properties):
    """A schema of the class profile or event."""
    return {"title": title, "type": "object", "allOf": [{"$ref": CLASSES[kind]}], "properties": properties}


def descriptor_body(schema, path, namespace, primary=False, **more):
    return {"@type": "xdm:descriptorIdentity", "xdm:sourceSchema": schema, "xdm:sourceVersion": 1,
            "xdm:sourceProperty": path, "xdm:namespace": namespace, "xdm:property": "xdm:code",
            "xdm:isPrimary": primary, **more}


def create_schema(client, kind="profile", **properties):
    """A registered schema; returns its document."""
    return client.post(SCHEMAS, schema_body(kind, **properties), expect=201).json()


def create_descriptor(client, schema, path, namespace, primary=False):
    """A descriptor of a schema (its document); returns its own document."""
    return client.post(DESCRIPTORS, descriptor_body(schema["$id"], path, namespace, primary), expect=201).json()


def create_dataset(client, schema, **more):
    """A dataset that follows the schema (its document); returns its id."""
    reference = {"id": schema["$id"], "contentType": flows.CONTENT_TYPE}
    return flows.create_dataset(client, "profile", schemaRef=reference, **more)
