"""What schemathesis need not report. Each line here is a case that was looked at."""

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure

# Rules that no JSON Schema can say: what can be seen, the tokens of a text, how many labels times texts there are, what
# the model knows, which models there are.
BEYOND_SCHEMA = (
    b"the text has no readable characters",
    b"and truncate is false",
    b"and truncate is NONE",
    b"of two different requests, send only one of them",
    b"in one request, the limit is",
    b"this model has no such class",
    b"model has this name; there are: ",
)
# A field that nobody declared is no violation in HTTP; beside a number in another header schemathesis takes it for one.
UNDECLARED = "x-schemathesis-unknown-property"


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Whether a failure is one."""
    if failure.code == "ST202":  # a request that the schema allows was refused
        return response.status_code not in {413, 422} or not any(rule in response.content for rule in BEYOND_SCHEMA)
    return failure.code != "ST201" or UNDECLARED not in (case.headers or {})
