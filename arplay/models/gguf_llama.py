"""llama.cpp through its C interface: a file's weights, and contexts whose cells many branches of a text share.

Only files that passed models/gguf_families.py may come here: llama.cpp ends the process on some that contradict
themselves. Its own tokenizer is left out (the ``no_vocab`` override), so nothing of the vocabulary is parsed in C.
"""

from __future__ import annotations

import ctypes
import weakref
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.models.base import Report
from arplay.models.devices import memory
from arplay.models.gguf_families import Sizes

LOGITS_BYTES = 64 * 1024 * 1024
"""llama.cpp holds the logits of a forward twice: as it computes them and as it hands them out. Both fit in this."""
FIRST_CELLS = 1024
SEQUENCES = 64
"""Branches in one context, at most; llama.cpp asks for at least as many rows of logits."""
_ERROR = 3
_NO_CELLS = 1

_said: deque[str] = deque(maxlen=1)
_log: Any = None


def library() -> Any:
    """The llama_cpp module with its messages silenced. Raises Problem with the way to install it."""
    global _log
    try:
        import llama_cpp
    except ImportError as error:
        raise Problem(
            f"llama.cpp is not installed ({error})",
            "run: pip install 'arplay[gguf]' (it builds from source with cmake, in about five minutes), "
            "or open the file with #dequantised behind its name",
        ) from error
    if _log is None:

        def listen(level: int, text: bytes, _: Any) -> None:
            if level == _ERROR:
                _said.append(text.decode("utf-8", "replace").strip())

        _log = llama_cpp.llama_log_callback(listen)  # the library calls it as long as it lives
        llama_cpp.llama_log_set(_log, None)
        llama_cpp.llama_backend_init()
    return llama_cpp


class Weights:
    """The weights of a GGUF file, mapped into memory and quantised as they are."""

    def __init__(self, path: Path, architecture: str, sizes: Sizes, threads: int, report: Report):
        """``report`` may raise to cancel."""
        self.library = lib = library()
        self.vocabulary, self.threads = sizes.vocabulary, threads
        self.cell_bytes = sizes.layers * 2 * sizes.keys * 4
        self.rows = max(1, min(512, LOGITS_BYTES // (8 * sizes.vocabulary)))
        self.sequences = min(SEQUENCES, self.rows)
        stopped: list[BaseException] = []

        def progress(fraction: float, _: Any) -> bool:
            try:
                report(fraction, "reading the weights")
            except BaseException as error:  # noqa: BLE001 - it must not pass through C; raised again below
                stopped.append(error)
            return not stopped

        settings = lib.llama_model_default_params()
        settings.n_gpu_layers = 0
        settings.use_extra_bufts = False  # repacking for AMX units ends in a segmentation fault (llama.cpp#20824)
        settings.progress_callback = called = lib.llama_progress_callback(progress)
        settings.kv_overrides = overrides = (lib.llama_model_kv_override * 3)()  # the last, empty, ends the list
        overrides[0].tag, overrides[0].key = lib.LLAMA_KV_OVERRIDE_TYPE_STR, b"tokenizer.ggml.model"
        overrides[0].value.val_str = b"no_vocab"
        overrides[1].tag, overrides[1].key = lib.LLAMA_KV_OVERRIDE_TYPE_INT, f"{architecture}.vocab_size".encode()
        overrides[1].value.val_i64 = sizes.vocabulary
        _said.clear()
        self.pointer = lib.llama_model_load_from_file(str(path).encode(), settings)
        del called  # it had to live as long as the load
        if stopped:
            raise stopped[0]
        if not self.pointer:
            raise Problem(
                f"llama.cpp cannot load {path.name} ({_last_words()})", "open it with #dequantised behind its name"
            )
        self._end = weakref.finalize(self, lib.llama_model_free, self.pointer)


class Context:
    """A context of llama.cpp: cells, one for each piece read, that the sequences in it share.

    It starts small and doubles when its cells are used up; what it holds is copied as it is. A sequence belongs to
    an owner (a session) and is emptied for another use after its owner has ended.
    """

    def __init__(self, weights: Weights, cells: int = FIRST_CELLS) -> None:
        self._weights = weights
        self._pointer, self._end = self._made(cells)
        self.cells = cells
        self._free = list(range(weights.sequences))[::-1]  # numbers of sequences
        self._dropped: deque[int] = deque()  # by sessions that ended, in whatever thread
        self._one = np.zeros(1, np.int32)  # the sequence of a batch
        rows = weights.rows
        self._tokens, self._places = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        self._counts, self._wanted = np.ones(rows, np.int32), np.zeros(rows, np.int8)
        self._sequences = (ctypes.POINTER(ctypes.c_int32) * rows)(*[_int32(self._one)] * rows)

    @property
    def bytes(self) -> int:
        """What the cells take, used or not; all sequences together."""
        return self.cells * self._weights.cell_bytes

    def take(self, owner: object) -> int | None:
        """The number of an empty sequence, given back when ``owner`` ends; None where all are taken."""
        self._clean()
        if not self._free:
            return None
        number = self._free.pop()
        weakref.finalize(owner, self._dropped.append, number).atexit = False
        return number

    def copy(self, source: int, target: int) -> None:
        """``target`` holds from now on what ``source`` holds, in the same cells."""
        self._weights.library.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def crop(self, sequence: int, length: int) -> None:
        """Forget what ``sequence`` holds after its first ``length`` pieces."""
        self._weights.library.llama_memory_seq_rm(self._memory, sequence, length, -1)

    def read(self, sequence: int, ids: Sequence[int], before: int, keep: int) -> NDArray[np.float32]:
        """Read ``ids`` (at most ``rows``) as pieces ``before``, ... of ``sequence``; logits after the last ``keep``.

        Shape (keep, V): a view of llama.cpp's own memory, true until the next read. Raises Problem where memory or
        the library fails; the sequence then holds its first ``before`` pieces.
        """
        lib, n = self._weights.library, len(ids)
        self._clean()
        self._tokens[:n], self._places[:n] = ids, np.arange(before, before + n)
        self._wanted[:n] = np.arange(n) >= n - keep
        self._one[0] = sequence
        batch = lib.llama_batch(
            n_tokens=n,
            token=_int32(self._tokens),
            pos=_int32(self._places),
            n_seq_id=_int32(self._counts),
            seq_id=self._sequences,
            logits=self._wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        code = lib.llama_decode(self._pointer, batch)
        while code == _NO_CELLS:
            self._grow()
            code = lib.llama_decode(self._pointer, batch)
        if code:
            self.crop(sequence, before)
            raise Problem(f"llama.cpp failed ({code}: {_last_words()})", "shorten the text, or load the model again")
        logits = lib.llama_get_logits(self._pointer)
        return np.ctypeslib.as_array(logits, (keep, self._weights.vocabulary))

    @property
    def _memory(self) -> Any:
        return self._weights.library.llama_get_memory(self._pointer)

    def _clean(self) -> None:
        while self._dropped:
            number = self._dropped.popleft()
            self.crop(number, 0)
            self._free.append(number)

    def _grow(self) -> None:
        lib, former, end = self._weights.library, self._pointer, self._end
        state = np.empty(lib.llama_state_get_size(former), np.uint8)
        place = state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        written = lib.llama_state_get_data(former, place, state.size)
        pointer, new_end = self._made(2 * self.cells)
        if lib.llama_state_set_data(pointer, place, written) != written:
            new_end()
            raise Problem(f"llama.cpp cannot enlarge its cache ({_last_words()})", "shorten the text")
        self._pointer, self._end, self.cells = pointer, new_end, 2 * self.cells
        end()

    def _made(self, cells: int) -> tuple[Any, Any]:
        weights, lib = self._weights, self._weights.library
        if cells * weights.cell_bytes > memory()[0]:
            raise Problem(f"there is no memory for a cache of {cells:,} pieces", "shorten the text")
        settings = lib.llama_context_default_params()
        settings.n_ctx = max(cells, 512)  # not fewer than the rows of a batch
        settings.n_batch = settings.n_ubatch = weights.rows
        settings.n_seq_max = weights.sequences
        settings.n_threads = settings.n_threads_batch = weights.threads
        # keys and values in 16 bits, and flash attention, would make logits depend on how a text is cut into chunks
        settings.type_k = settings.type_v = lib.GGML_TYPE_F32
        settings.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        settings.kv_unified = True
        settings.swa_full = True  # a layer with a window keeps all, so that every rewind is exact
        settings.no_perf = True
        _said.clear()
        pointer = lib.llama_init_from_model(weights.pointer, settings)
        if not pointer:
            raise Problem(f"there is no memory for a cache of {cells:,} pieces ({_last_words()})", "shorten the text")
        return pointer, weakref.finalize(self, _freed, lib, pointer, weights)


def _freed(lib: Any, pointer: Any, weights: Weights) -> None:
    lib.llama_free(pointer)  # `weights` is held until here: they are freed after their contexts


def _last_words() -> str:
    return _said[-1][:200] if _said else "without a word"


def _int32(numbers: np.ndarray) -> Any:
    return numbers.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
