"""Everything that can go wrong, as one tree. It knows no status codes; web/errors.py maps it to HTTP.

StructBertError
├── InvalidInput          the caller's text or field cannot be used; names the field
│   └── TooManyItems      more items in one request than the limit
├── TaskNotAvailable      no model is installed for the task
├── Unauthorized          keys are configured and the request has none of them
├── NotReady              the models are not warm yet, or the process is draining
│   └── WorkerHung        only a new process can help: a thread is gone, or in one run for too long
├── RateLimited           this client asks too often; try again later
├── Overloaded            the queue is full; try again later
├── DeadlineExceeded      the deadline passed before the answer; the work was dropped
├── ClientDisconnected    whoever asked has hung up; the work was dropped
├── InferenceFailed       the model itself failed on this input
├── InvalidModel          a model folder is incomplete, corrupt or not what its manifest says
└── ConfigurationError    an environment variable is unknown or has an unusable value
"""


class StructBertError(Exception):
    """Base of every error that this project raises on purpose; `str(error)` is fit for a user's eyes."""


class InvalidInput(StructBertError):
    """The caller's input cannot be used. `field` names it, e.g. `texts[3]`."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class TooManyItems(InvalidInput):
    """More items in one request than the limit, which the message states."""


class TaskNotAvailable(StructBertError):
    """No model is installed for `task`, or none that can serve it: then the message is the `reason`.

    `command` makes one.
    """

    def __init__(self, task: str, reason: str = "") -> None:
        self.command = f"python -m export --task {task} --checkpoint SOURCE --out models/{task}"
        super().__init__(reason or f"no {task} model is installed; make one with: {self.command}")
        self.task = task


class Unauthorized(StructBertError):
    """Keys are configured and the request has none of them; the message never has the key that was sent."""


class NotReady(StructBertError):
    """The models are not warm yet, or the process is draining."""


class WorkerHung(NotReady):
    """A model's thread is gone or has been in one run for too long; only a new process can help."""


class RateLimited(StructBertError):
    """One client asks too often. `retry_after` is a whole number of seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overloaded(StructBertError):
    """The queue is full. `retry_after` is a whole number of seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceeded(StructBertError):
    """The deadline passed before the answer; the work was dropped, not finished."""


class ClientDisconnected(StructBertError):
    """Whoever asked has hung up; the work was dropped, not finished."""


class InferenceFailed(StructBertError):
    """The model failed on this input; its neighbours in the micro-batch are not affected."""


class InvalidModel(StructBertError):
    """A model folder is incomplete, corrupt or not what its manifest says; the message names the file."""


class ConfigurationError(StructBertError):
    """An environment variable is unknown or has an unusable value; the message names it."""
