"""Tokenizers as alphabets: the exact ids of the model's own library, and for every token the bytes that it owns.

``text.py`` is any tokenizer as an Alphabet; ``spelling.py`` says what each id writes, ``places.py`` which bytes of a
text a token owns; ``fast.py`` and ``slow.py`` are the two kinds of library, ``files.py`` opens a folder's tokenizer.
"""

from arplay.models.alphabets.fast import TokenizerAlphabet
from arplay.models.alphabets.files import MAX_TOKENIZER_BYTES, open_tokenizer, opened
from arplay.models.alphabets.text import TextAlphabet

__all__ = ["MAX_TOKENIZER_BYTES", "TextAlphabet", "TokenizerAlphabet", "open_tokenizer", "opened"]
