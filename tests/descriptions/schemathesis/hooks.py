"""What schemathesis must know of our API that OpenAPI can't say."""

import itertools
import re

import schemathesis

# What can't be seen from the request alone, ...
OF_THE_STATE = "does not exist|is already in use|cannot be changed|is archived|is not in the catalogue of events|must not be the reseller itself"
# ... what one field says of another, ...
BETWEEN_FIELDS = (
    "can't be used together with after_id|is for (before|after) handlers only|is for scripts only|is for ready-made kinds|is for handlers over HTTP only|must be after: a ready-made|must be false: e-mail|must be above 0 for a|must be below 0 for a"
    "|must not be 0|is required for auth_type|give at least one filter|give the id of a saved handler|must be after for|can only be told after"
    "|needs a handlers_id|must name at least one client|the handler is not asked about it|must be after effective_from|takes no event; name one"
)
# ... and what JSON Schema has no words for.
OF_THE_KIND = (
    "must have at most 6 decimals|must be an IPv4 or IPv6 address|names .* twice|which is part of|must be the name of a time zone"
    "|must be a duration of|must be letters, digits and _|of at most \\d+ bytes"
)
EXPLAINED = re.compile(f"{OF_THE_STATE}|{BETWEEN_FIELDS}|{OF_THE_KIND}")
# What has a grammar of its own: addresses, expressions, names of events and headers, and what each kind of handler is configured with.
WITH_A_GRAMMAR = ("task", "condition", "event", "headers", "settings")

# Keys that only the database knows.
DEFINED_BY_THE_CARRIER = re.compile(r"^custom_fields\..*: unknown field$", re.DOTALL)

addresses = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Each case comes from an address of its own: five wrong keys from one are all that the server listens to."""
    number = next(addresses)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def is_explained(field, words):
    has_a_grammar = field.rsplit(".")[-1] in WITH_A_GRAMMAR
    return has_a_grammar or EXPLAINED.search(words) or DEFINED_BY_THE_CARRIER.match(f"{field}: {words}")


@schemathesis.check
def only_what_no_schema_can_tell_is_wrong(context, response, case):
    """A request that fits its schema is refused as wrong only for what no schema can tell."""
    meta = case.meta
    if response.status_code != 400 or meta is None or not meta.generation.mode.is_positive:
        return
    # Now and then it calls a null in the path a good integer.
    if None in (case.path_parameters or {}).values():
        return
    wrong = response.json()["error"]["data"]
    others = {field: words for field, words in wrong.items() if not is_explained(field, words)}
    if others:
        raise AssertionError(f"a request that fits its schema was refused: {others}")
