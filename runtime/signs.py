"""What a body may hold that no feature tells and that some bridge refuses: a word for each.

Skins of the body's own dialect take these as they are; readers note them, bridges name them.
"""

from __future__ import annotations

from typing import Final

# a file that was uploaded to one provider
FILE_ID: Final = "file-id"
# a document by its address
DOCUMENT_URL: Final = "document-url"
# Responses: a prompt that is kept by the provider
PROMPT: Final = "prompt"
# Messages: state, or a place, of the provider's own
CONTAINER: Final = "container"
THREAD: Final = "thread"
INFERENCE_GEO: Final = "inference-geo"
# the answer is to be a sealed summary
COMPACTION: Final = "compaction"
# Chat: the answer is to be spoken
SPEECH: Final = "speech"

SIGNS: Final = frozenset(
    (FILE_ID, DOCUMENT_URL, PROMPT, CONTAINER, THREAD, INFERENCE_GEO, COMPACTION, SPEECH)
)
