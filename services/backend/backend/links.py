"""What leads from one answer of the API to the next request (OpenAPI links), for readers and generated clients."""

from chassis.openapi import Links


def _named(name: str) -> dict[str, dict[str, str]]:
    return {"parameters": {name: f"$response.body#/{name}"}}


_RENEWED = {"requestBody": {"refresh_token": "$response.body#/refresh_token"}}
_OLDER = {"parameters": {"query.cursor": "$response.body#/next"}}
_CONVERSATION = "conversation_id"

LINKS: Links = {
    "register": {
        "sign_in": {
            "requestBody": {
                "grant_type": "password",
                "username": "$response.body#/email",
                "password": "$request.body#/password",
            }
        }
    },
    "sign_in": {"refresh": _RENEWED, "logout": _RENEWED},
    "refresh": {"refresh": _RENEWED, "logout": _RENEWED},
    "begin_conversation": {
        target: _named(_CONVERSATION) for target in ("read_conversation", "say", "delete_conversation")
    },
    "list_conversations": {"list_conversations": _OLDER},
    "read_conversation": {
        "read_conversation": {
            "parameters": {**_named(_CONVERSATION)["parameters"], **_OLDER["parameters"]},
        },
        "say": _named(_CONVERSATION),
        "delete_conversation": _named(_CONVERSATION),
    },
    "say": {"read_conversation": _named(_CONVERSATION)},
    "list_memories": {
        "list_memories": _OLDER,
        "forget_memory": {"parameters": {"memory_id": "$response.body#/items/0/memory_id"}},
    },
    "erase_everything": {"read_erasure": _named("erasure_id")},
}
