"""Answers that are given again: to the same request, of the same project, from the same artifact.

rules    which requests may be answered so, and what their Cache-Control asks for
key      what makes two requests the same
answers  kept answers, in this worker or in the shared store
place    the place of one request's answer: looked at before, filled after
"""

from runtime.cache.answers import Answers, Kept, LocalAnswers
from runtime.cache.place import Place, look_up
from runtime.cache.shared import SharedAnswers

__all__ = ["Answers", "Kept", "LocalAnswers", "Place", "SharedAnswers", "look_up"]
