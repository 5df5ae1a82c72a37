"""API keys: who may ask, and where a server may be without them."""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path

from structbert_lite.errors import ConfigurationError
from structbert_lite.settings import PREFIX, Settings

KEY = re.compile(r"[!-~]+")  # what a header carries unchanged


class Keys:
    """The keys of this server, as digests alone. False when there are none: then everybody may ask."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = tuple(dict.fromkeys(_digest(key) for key in keys))

    def __len__(self) -> int:
        return len(self._digests)

    def __repr__(self) -> str:
        return f"<{len(self)} API keys>"

    def replace(self, newer: "Keys") -> None:
        """Takes the keys of `newer` instead of its own, for every later `find`."""
        self._digests = newer._digests

    def find(self, given: str) -> int | None:
        """The number of the key that `given` is, from 1, in the order of the settings; None when it is none of them.

        Every key is compared, in constant time: how long it takes does not tell how near a miss is.
        """
        digest = _digest(given)
        found = None
        for number, own in enumerate(self._digests, start=1):
            if hmac.compare_digest(own, digest):
                found = number
        return found


def read_keys(settings: Settings) -> Keys:
    """The keys of `api_keys` and of the file `api_keys_file`, one a line, where a line that starts with # is a comment.

    Raises ConfigurationError, which never shows a key, for a file that cannot be read, for a place without a
    key in it, and for a key that a header cannot carry.
    """
    keys: list[str] = []
    if given := settings.api_keys.get_secret_value():
        keys += _checked(given.split(","), f"{PREFIX}API_KEYS")
    if name := settings.api_keys_file:
        keys += _checked(_lines(Path(name)), f"{PREFIX}API_KEYS_FILE={name}")
    return Keys(keys)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`: an IP address, in brackets or not, or a name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_exposure(settings: Settings, keys: Keys, hosts: Iterable[str]) -> None:
    """Raises ConfigurationError when other machines reach a host of `hosts` without a key, unless settings allow it."""
    for host in hosts:
        if not (keys or settings.allow_public_without_keys or is_loopback(host)):
            raise ConfigurationError(
                f"{host or 'every address'} is reachable from other machines and there are no API keys: set "
                f"{PREFIX}API_KEYS or {PREFIX}API_KEYS_FILE, or {PREFIX}ALLOW_PUBLIC_WITHOUT_KEYS=1 if anyone may ask"
            )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{PREFIX}API_KEYS_FILE={file} cannot be read: {why}") from None
    return [line for line in lines if not line.lstrip().startswith("#")]


def _checked(given: list[str], place: str) -> list[str]:
    keys = [key.strip() for key in given if key.strip()]
    if not keys:
        raise ConfigurationError(f"{place} holds no key")
    for number, key in enumerate(keys, start=1):
        if not KEY.fullmatch(key):
            raise ConfigurationError(
                f"{place}: key number {number} is not made of visible ASCII characters without spaces"
            )
    return keys
