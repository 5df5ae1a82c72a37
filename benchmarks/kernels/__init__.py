"""One file an engine: `python -m benchmarks.kernels.NAME FOLDER THREADS CALLERS`, run in the engine's environment."""
