"""JSON Schemas of what the API answers (JSON Schema 2020-12, as OpenAPI 3.1 takes it)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mailsacd.core.check_result import CheckResult
from mailsacd.core.codes_and_links import CodesAndLinks
from mailsacd.core.message_form import FOLDERS, Facts, Findings, Marks
from mailsacd.core.spam import SpamReport
from mailsacd.http.api.operation import Answer

Schema = Mapping[str, Any]

STRING: Final[Schema] = {"type": "string"}
_NAMES: Final[Schema] = {"type": "array", "items": STRING}
_BINARY: Final[Schema] = {"type": "string", "contentEncoding": "binary"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
TIME: Final[Schema] = {"type": "string", "format": "date-time"}
TIME_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_FLAG: Final[Schema] = {"type": "boolean"}


def object_of(properties: Mapping[str, Schema], **more: Any) -> Schema:
    """The schema of an object that has all of ``properties``; ``more`` is said of it."""
    return {"type": "object", "required": list(properties), "properties": properties, **more}


def named(name: str) -> Schema:
    """A reference to the schema of that name in SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(schema: Schema) -> Schema:
    """The schema of an array whose items have ``schema``."""
    return {"type": "array", "items": schema}


_PARTS: Final = (Facts, Marks, Findings)


def _message() -> Mapping[str, Schema]:
    """That of a message, as core.message_form declares it, and those of what it consists of."""
    _, found = msgspec.json.schema_components(_PARTS, ref_template="#/components/schemas/{name}")
    parts = [found.pop(kind.__name__)["properties"] for kind in _PARTS]
    return {**found, "Message": object_of({name: s for part in parts for name, s in part.items()})}


def _components(*kinds: type) -> Mapping[str, Schema]:
    """Those of values that are declared as msgspec structs, and of what they consist of."""
    return msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")[1]


_CODES_AND_LINKS: Final = _components(CodesAndLinks)
_CHECKS: Final[Mapping[str, Schema]] = {
    "score": {"type": ["integer", "null"]},
    "checks": list_of(named("CheckResult")),
}

SCHEMAS: Final[Mapping[str, Schema]] = {
    **_message(),
    **_components(CheckResult, SpamReport),
    **_CODES_AND_LINKS,
    "MessageCount": object_of({"count": {"type": "integer", "minimum": 0}, "inbox": STRING}),
    "MessageLabels": object_of({"_id": STRING, "labels": _NAMES}),
    "MessageFolder": object_of({"_id": STRING, "folder": {"enum": list(FOLDERS)}}),
    "MessageCodes": object_of({"_id": STRING, **_CODES_AND_LINKS["CodesAndLinks"]["properties"]}),
    "MessageAuthentication": object_of({"_id": STRING, "auth": named("Authentication")}),
    "MessageChecks": object_of({"_id": STRING, **_CHECKS}),
    "CheckResults": object_of(_CHECKS),
    "MessageSpam": object_of(
        {"_id": STRING, "spam": {"anyOf": [named("SpamReport"), {"type": "null"}]}}
    ),
    "MessageNeighbours": object_of({"_id": STRING, "newer": _TEXT_OR_NULL, "older": _TEXT_OR_NULL}),
    "MessageRead": object_of({"_id": STRING, "read": _FLAG}),
    "WaitIsOver": object_of(
        {
            "message": STRING,
            "error": STRING,
            "fitting": {"type": "integer", "minimum": 0, "description": "Messages that fit"},
            "nearMisses": {
                **list_of(
                    object_of(
                        {
                            "_id": STRING,
                            "subject": STRING,
                            "received": TIME,
                            "failed": {
                                **_NAMES,
                                "description": "The conditions that it does not fulfil",
                            },
                        }
                    )
                ),
                "description": "The newest messages of the inbox",
            },
            "hints": {**_NAMES, "description": "What may be why, in sentences for people"},
        }
    ),
    "InboxPage": object_of(
        {
            "messages": list_of(named("Message")),
            "unread": {
                "type": "integer",
                "minimum": 0,
                "description": "Of all the account's messages",
            },
            "limit": {"type": "integer", "minimum": 0},
            "skip": {"type": "integer", "minimum": 0},
        }
    ),
    "Filtered": object_of({"messages": list_of(named("Message"))}),
    "Found": object_of({"query": STRING, "messages": list_of(named("Message"))}),
    "Deletion": object_of({"message": STRING, "_id": STRING, "inbox": STRING}),
    "Attachment": object_of(
        {
            "checksum": {"type": "string", "description": "MD5 of the decoded content, in hex"},
            "contentDisposition": {"type": ["string", "null"]},
            "contentId": {"type": ["string", "null"]},
            "contentType": STRING,
            "fileName": {"type": ["string", "null"]},
            "length": {"type": "integer", "minimum": 0, "description": "Bytes, decoded"},
            "transferEncoding": {"type": ["string", "null"]},
        }
    ),
    "Address": {
        "type": "object",
        "required": [
            "_id",
            "info",
            "forward",
            "enablews",
            "webhook",
            "webhookSlack",
            "webhookSlackToFrom",
            "transcript",
            "encryptedInbox",
            "catchAll",
            "implicit",
            "password",
            "created",
            "updated",
        ],
        "properties": {
            "_id": {"type": "string", "description": "The address itself"},
            "owner": {"type": "string", "description": "Left out when nobody owns it"},
            "info": _TEXT_OR_NULL,
            "forward": _TEXT_OR_NULL,
            "enablews": _FLAG,
            "webhook": _TEXT_OR_NULL,
            "webhookSlack": _TEXT_OR_NULL,
            "webhookSlackToFrom": _FLAG,
            "transcript": {**_FLAG, "description": "What is said about its mail is kept"},
            "encryptedInbox": {"type": "string", "description": "Delivers here and tells nothing"},
            "catchAll": {**_TEXT_OR_NULL, "description": "The domain whose catch-all it is"},
            "implicit": {**_FLAG, "description": "The account's by its private domain alone"},
            "password": {"type": "null", "description": "Never told"},
            "created": TIME_OR_NULL,
            "updated": TIME_OR_NULL,
        },
    },
    "Domain": object_of(
        {
            "_id": {"type": "string", "description": "The domain itself"},
            "owner": STRING,
            "created": TIME,
            "updated": TIME,
            "enablews": _FLAG,
            "hosted": {**_FLAG, "description": "Below the operator's hosting domain"},
            "isDefault": _FLAG,
            "isPrivate": {**_FLAG, "description": "Its mail is for the account alone"},
            "verified": {**_FLAG, "description": "It is proved that the domain is the account's"},
            "verifiedMx": {**_FLAG, "description": "Its mail comes here"},
            "verificationTxt": {"type": "string", "description": "The TXT record that proves it"},
            "lastVerificationErrors": {
                **_TEXT_OR_NULL,
                "description": "What was amiss when its DNS records were looked at",
            },
            "records": list_of(
                object_of(
                    {
                        "purpose": {"enum": ["MX", "TXT", "SPF", "DKIM"]},
                        "type": {"enum": ["MX", "TXT"]},
                        "name": STRING,
                        "value": STRING,
                        "published": {**_FLAG, "description": "Found by the last look"},
                    }
                )
            ),
        }
    ),
    "DomainAndCount": object_of(
        {
            "domain": named("Domain"),
            "totalMessages": {"type": "integer", "minimum": 0},
            "catchAllAddress": {"anyOf": [named("Address"), {"type": "null"}]},
        }
    ),
    "DomainRemoval": object_of({"message": STRING, "_id": STRING}),
    "Availability": object_of(
        {
            "email": STRING,
            "available": {**_FLAG, "description": "The caller could reserve it"},
            "owned": {**_FLAG, "description": "Somebody owns it"},
        }
    ),
    "Pop3Settings": object_of(
        {
            "email": STRING,
            "username": STRING,
            "hasPassword": {**_FLAG, "description": "It has a password of its own"},
            "host": STRING,
            "port": {"type": "integer"},
            "security": {
                "enum": ["STARTTLS", "none"],
                "description": "On `port`: TLS begun by STLS, or none",
            },
            "tlsPort": {
                "type": ["integer", "null"],
                "description": "With TLS from the first byte; null where there is none",
            },
            "authentication": list_of(STRING),
            "uniqueIds": STRING,
        }
    ),
    "Headers": {"type": "object", "additionalProperties": _NAMES},
    "OlderHeaders": {"type": "object", "additionalProperties": {"anyOf": [STRING, _NAMES]}},
    "HeaderFields": list_of(object_of({"name": STRING, "value": STRING})),
    "Status": object_of({"status": {"const": "ok"}}),
    "Version": object_of({"name": {"const": "mailsacd"}, "version": STRING}),
    "Error": {
        "type": "object",
        "required": ["message", "error"],
        "properties": {
            "message": {"type": "string", "description": "A sentence for people"},
            "error": {"type": "string", "description": "The status in words"},
            "secondFactor": {
                "const": True,
                "description": "The password is right; a `code` of the second factor is wanted",
            },
            "validationErrors": {
                **list_of(STRING),
                "description": "What is wrong with the input, a text for each fault",
            },
            "faults": {
                **list_of(object_of({"field": STRING, "message": STRING})),
                "description": "The same for programs",
            },
        },
    },
}


def json_answer(description: str, schema: Schema, status: int = 200) -> Answer:
    """The declaration of an answer in JSON that has ``schema``."""
    return Answer(status=status, description=description, schemas={"application/json": schema})


def media_answer(description: str, *media_types: str) -> Answer:
    """The declaration of a 200 with text or bytes, of one of these media types."""
    schemas = {m: STRING if m.startswith("text/") else _BINARY for m in media_types}
    return Answer(status=200, description=description, schemas=schemas)
