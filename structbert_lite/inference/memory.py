"""Memory of models that are no longer used."""

import ctypes
import gc


def give_back() -> None:
    """Frees what only cycles keep alive, and hands free pages back to the system where the C library can."""
    gc.collect()  # an encoder and its batcher know each other, and nothing else would look for them for hours
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc
    if trim is not None:
        trim(0)
