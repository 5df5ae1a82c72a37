"""Settings from the environment: the only place that reads it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from structbert_lite.errors import ConfigurationError

PREFIX = "STRUCTBERT_"
_QUOTA = r"[1-9][0-9]{0,8} ?(/| per ) ?([1-9][0-9]{0,3} )?(second|minute|hour|day)s?"
QUOTAS = rf"^({_QUOTA}( ?; ?{_QUOTA})*)?$"  # what the limits library reads, and nothing that it does not
_HERE = Path(__file__).resolve().parent
_IN_WHEEL = _HERE / "project"  # where a wheel has what stands beside this package in a checkout (hatch_build.py)
PROJECT = _IN_WHEEL if _IN_WHEEL.is_dir() else _HERE.parent
ORIGINS = r"^\s*((\*|https?://[^/?#\s,]+)\s*(,\s*|$))*$"
HOST_NAMES = r"^\s*([\w.-]+\s*(,\s*|$))*$"


class Settings(BaseModel):
    """Every setting, its default and its meaning; `STRUCTBERT_` plus the name in capitals sets it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(5000, ge=1, le=65535, description="Port to listen on")
    workers: int = Field(1, ge=1, le=64, description="Processes; each holds every model, and a cache of its own")
    http_threads: int = Field(64, ge=1, le=1024, description="Requests handled at the same time by each process")
    max_connections: int = Field(
        1000, ge=16, le=100_000, description="Open connections at the most; for one more the longest idle one is closed"
    )
    models: Path = Field(PROJECT / "models", description="Folder with one folder per model")
    sentiment_model: str = Field(
        "", description="Folder name of the sentiment model; empty: `sentiment`, else the first found"
    )
    sentiment_neutral: bool = Field(
        False,
        description="`1`: a sentiment answer's label may be `Neutral` where the model knows it; "
        "a request may say otherwise",
    )
    similarity_model: str = Field("", description="Folder name of the similarity model; empty: as above")
    embedding_model: str = Field("", description="Folder name of the embedding model; empty: as above")
    zero_shot_model: str = Field("", description="Folder name of the zero-shot model; empty: as above")
    rerank_model: str = Field("", description="Folder name of the reranking model; empty: as above")
    alternatives: str = Field(
        "",
        description="Folder names of further models, separated by commas, that a request may choose; "
        "each for every task it serves; empty: none",
    )
    load: Literal["start", "lazy"] = Field(
        "start", description="`start`: all models before the first answer; `lazy`: each at its task's first request"
    )
    prepacked: str = Field(
        "",
        description="Folder for weights as this machine's CPU reads them, which processes share; "
        "empty: `structbert-lite` in `$XDG_CACHE_HOME` or `~/.cache`; `off`: none",
    )
    early_exit: bool = Field(True, description="`0`: every text passes all layers of a model that has early exits")
    threads: int = Field(
        0,
        ge=0,
        le=256,
        description="Inferences run side by side, of all models, a CPU each, in each process; "
        "0: what affinity and cgroup allow, divided by the processes",
    )
    max_batch: int = Field(32, ge=1, le=1024, description="Rows in one micro-batch at the most")
    batch_tokens: int = Field(128, ge=1, description="Padded tokens in one micro-batch at the most")
    queue_tokens: int = Field(65536, ge=512, description="Tokens waiting at the most before requests are refused")
    queue_ms: int = Field(
        2000, ge=1, description="Time in the queue, by estimate, that is too long where more than 64 requests wait"
    )
    cache_mb: int = Field(32, ge=0, description="Memory for cached results; 0 switches the cache off")
    prefix_cache_mb: int = Field(
        32,
        ge=0,
        description="Memory for keys and values of texts whose labels were asked about; 0: of the last one",
    )
    max_body_mb: int = Field(4, ge=1, le=1024, description="Size of a request body at the most")
    max_items: int = Field(
        512, ge=1, description="Texts, pairs, documents, or texts times labels in one request at the most"
    )
    timeout_ms: int = Field(30_000, ge=1, description="Deadline of a request")
    rate_limit: str = Field(
        "",
        pattern=QUOTAS,
        description="Requests of one client at the most, `600/minute` or `10/second;600/minute`; empty: no limit",
    )
    trusted_proxies: int = Field(
        0, ge=0, le=9, description="Proxies in front, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed"
    )
    redis_url: str = Field("", repr=False, description="Redis that replicas share, `redis://HOST:6379/0`; empty: none")
    redis_ttl_s: int = Field(86_400, ge=1, description="Seconds for which Redis keeps a cached result")
    redis_timeout_ms: int = Field(50, ge=1, le=10_000, description="Time for an answer of Redis; then it goes without")
    api_keys: SecretStr = Field(SecretStr(""), description="Keys that may ask, separated by commas; empty: anyone may")
    api_keys_file: str = Field("", description="File with further keys, one a line; `#` starts a comment line")
    allow_public_without_keys: bool = Field(
        False, description="`1`: start on an address that other machines reach though there are no keys"
    )
    allowed_hosts: str = Field(
        "",
        pattern=HOST_NAMES,
        description="Host names to answer to, separated by commas; empty: any, on loopback without keys `localhost`",
    )
    cors_origins: str = Field(
        "",
        pattern=ORIGINS,
        description="Sites whose scripts may ask, `https://example.com`, separated by commas; `*`: any",
    )
    drain_seconds: int = Field(
        2, ge=0, le=300, description="After SIGTERM: how long the port stays open while `/readyz` is 503"
    )
    stuck_seconds: int = Field(
        60, ge=1, description="A single run of a model that takes longer means that it is stuck: `/livez` is 503"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged")
    log_format: Literal["text", "json"] = Field("text", description="`text`: for people; `json`: one object a line")
    traces: Literal["off", "otlp"] = Field(
        "off", description="`otlp`: OpenTelemetry traces, sent where the standard `OTEL_` variables say"
    )

    @property
    def prefix_bytes(self) -> int:
        """`prefix_cache_mb` in bytes."""
        return self.prefix_cache_mb << 20

    @property
    def prepacked_folder(self) -> Path | None:
        """Where prepacked weights are kept; None: nowhere."""
        if self.prepacked:
            return None if self.prepacked == "off" else Path(self.prepacked)
        # A relative one has to be ignored, says the specification of base directories.
        named = [os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")]
        caches = next(filter(os.path.isabs, named), None)
        return Path(caches, "structbert-lite") if caches else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Settings as the environment gives them.

        Raises ConfigurationError, with the variable's name, for an unknown STRUCTBERT_ variable or an unusable value.
        """
        given = {name.removeprefix(PREFIX).lower(): v for name, v in environment.items() if name.startswith(PREFIX)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            if first["type"] == "extra_forbidden":
                known = ", ".join(PREFIX + field.upper() for field in cls.model_fields)
                raise ConfigurationError(f"{name} is not a setting; these are: {known}") from None
            raise ConfigurationError(f"{name}={given[str(first['loc'][0])]!r} cannot be used: {first['msg']}") from None
