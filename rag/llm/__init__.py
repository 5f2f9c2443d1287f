"""Models behind an OpenAI-compatible server: the only door to openai.

`OpenAIEmbedder` makes vectors, `OpenAIChat` writes. `capped` bounds what one question may cost,
`Recorder` and `Replay` keep what a model said, so that it can be asked again without a network.
The client itself is imported when a server is first asked: it takes half a second.
"""

from rag.llm.chat import DEFAULT_MODEL, OpenAIChat
from rag.llm.embeddings import BATCH_BYTES, MOST_BYTES, OpenAIEmbedder, batches
from rag.llm.meter import Capped, capped
from rag.llm.recorded import Recorder, Replay
from rag.llm.server import Patience

__all__ = [
    "BATCH_BYTES",
    "DEFAULT_MODEL",
    "MOST_BYTES",
    "Capped",
    "OpenAIChat",
    "OpenAIEmbedder",
    "Patience",
    "Recorder",
    "Replay",
    "batches",
    "capped",
]
