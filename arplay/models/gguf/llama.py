"""llama.cpp through its C interface: a file's weights, and contexts whose cells several branches of a text share.

Only models/gguf/child.py calls this, in a process of its own: llama.cpp ends its process on some files and texts. What
an architecture can do (give a next token, go back in its cache) is asked of the loaded model, not of its name. The
tokenizer is left out here (the ``no_vocab`` override); models/gguf/vocab.py has it.
"""

from __future__ import annotations

import ctypes
import re
import sys
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.waits import Interrupted
from arplay.models.base import LOGITS_BYTES
from arplay.models.devices import memory

FIRST_CELLS = 1024
SEQUENCES = 64
"""Branches in one context, at most; llama.cpp asks for at least as many rows of logits."""
_LEAST_CELLS = 512  # not fewer than the rows of a batch
_PROBE = 16
_ERROR = 4
_NO_CELLS, _STOPPED = 1, 2  # of llama_decode

stop = ctypes.create_string_buffer(2)
"""A forward under way gives up as soon as the first byte is not 0."""
_said: deque[str] = deque(maxlen=8)
_log: Any = None


def library() -> Any:
    """The llama_cpp module with its messages silenced."""
    global _log
    import llama_cpp

    if _log is None:

        def listen(level: int, text: bytes, _: Any) -> None:
            if level == _ERROR:
                _said.append(text.decode("utf-8", "replace").strip())

        _log = llama_cpp.llama_log_callback(listen)  # the library calls it as long as it lives
        llama_cpp.llama_log_set(_log, None)
        llama_cpp.llama_backend_init()
    return llama_cpp


class Weights:
    """The weights of a GGUF file, mapped into memory and quantised as they are.

    ``context``: tokens that it was trained to read at once; None for a network whose state has one size.
    ``crops``: whether a sequence can forget its last tokens. ``cell_bytes`` and ``state_bytes``: what a sequence keeps
    for each token, and besides. ``sequences``: how many share a context.
    """

    def __init__(self, path: Path, architecture: str, vocabulary: int, threads: int, report: Callable[[float], None]):
        self.library = lib = library()
        self.vocabulary, self.threads = vocabulary, threads
        # the library holds the logits of a forward twice: as it computes them and as it hands them out
        self.rows = max(1, min(_LEAST_CELLS, LOGITS_BYTES // (8 * vocabulary)))
        self.sequences, self.cell_bytes, self.state_bytes, self.crops = 1, 0, 0, True

        def progress(fraction: float, _: Any) -> bool:
            report(fraction)
            return True

        settings = lib.llama_model_default_params()
        settings.n_gpu_layers = 0
        settings.use_extra_bufts = False  # repacking for AMX units ends in a segmentation fault (llama.cpp#20824)
        settings.progress_callback = called = lib.llama_progress_callback(progress)
        settings.kv_overrides = overrides = (lib.llama_model_kv_override * 3)()  # the last, empty, ends the list
        overrides[0].tag, overrides[0].key = lib.LLAMA_KV_OVERRIDE_TYPE_STR, b"tokenizer.ggml.model"
        overrides[0].value.val_str = b"no_vocab"
        overrides[1].tag, overrides[1].key = lib.LLAMA_KV_OVERRIDE_TYPE_INT, f"{architecture}.vocab_size".encode()
        overrides[1].value.val_i64 = vocabulary
        _said.clear()
        self.pointer = lib.llama_model_load_from_file(str(path).encode(), settings)
        del called  # it had to live as long as the load
        if not self.pointer:
            raise Problem(f"llama.cpp cannot load {path.name} ({first_words()})", "")
        self._end = weakref.finalize(self, lib.llama_model_free, self.pointer)
        self.window = int(lib.llama_model_n_swa(self.pointer))
        endless = lib.llama_model_is_recurrent(self.pointer)
        self.context = None if endless else int(lib.llama_model_n_ctx_train(self.pointer))
        probe = Context(self, _LEAST_CELLS)
        self._refuse_what_gives_no_next_token(path.name, probe)
        self._measure(probe)

    def _refuse_what_gives_no_next_token(self, name: str, probe: Context) -> None:
        lib, pointer = self.library, self.pointer
        if lib.llama_model_has_encoder(pointer) or not lib.llama_model_has_decoder(pointer):
            what = "is a model with an encoder"
        elif lib.llama_model_is_diffusion(pointer):
            what = "fills gaps of a text (diffusion)"
        elif not probe.is_causal:
            what = "reads a text in both directions (an embedding model)"
        else:
            return
        raise Problem(f"{name} {what}, so it gives no next token", "choose a model that predicts the next token")

    def _measure(self, probe: Context) -> None:
        """Read a few tokens to see what a sequence keeps of them, and whether it can forget some."""
        count = min(_PROBE, self.rows, (self.context or _PROBE + 1) - 1)
        count = min(count, self.window - 2) if self.window > 2 else count  # what leaves a window is not saved
        probe.read(0, [0], 0, 1)
        one = probe.state_bytes(0)
        if count > 0:
            probe.read(0, [0] * count, 1, 1)
            self.cell_bytes = -(-(probe.state_bytes(0) - one) // count)
            self.crops = probe.crop(0, 1)
        self.state_bytes = max(0, one - self.cell_bytes)
        # What slides or recurs has a context for each branch: llama.cpp gives the cells of one sequence that have left
        # its window to another, which could then not go back any more.
        if self.crops and not self.window:
            self.sequences = min(SEQUENCES, self.rows)


class Context:
    """A context of llama.cpp: cells, one for each token read, that the sequences in it share.

    It starts small and doubles when its cells are used up; what it holds is copied as it is.
    """

    def __init__(self, weights: Weights, cells: int = FIRST_CELLS) -> None:
        self._weights = weights
        self._pointer, self._end = self._made(cells)
        self.cells = cells
        self._one = np.zeros(1, np.int32)  # the sequence of a batch
        rows = weights.rows
        self._tokens, self._places = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        self._counts, self._wanted = np.ones(rows, np.int32), np.zeros(rows, np.int8)
        self._sequences = (ctypes.POINTER(ctypes.c_int32) * rows)(*[_int32(self._one)] * rows)

    @property
    def is_causal(self) -> bool:
        """Whether a token sees only those before it."""
        return bool(self._weights.library.llama_get_causal_attn(self._pointer))

    def copy(self, source: int, other: Context, target: int) -> bool:
        """``target`` of ``other`` holds from now on what ``source`` of this one holds, in the same cells where it can.

        False where it cannot; ``target`` is empty then.
        """
        if other is self:
            self._weights.library.llama_memory_seq_cp(self._memory, source, target, -1, -1)
            return True
        return other.restore(target, self.save(source, whole=True), whole=True)

    def crop(self, sequence: int, length: int) -> bool:
        """Forget what ``sequence`` holds after its first ``length`` tokens; False, and nothing changed: it cannot.

        That is where a state is not kept for every token, and where tokens that a window needs have given up their
        cells.
        """
        lib, memory = self._weights.library, self._memory
        first = lib.llama_memory_seq_pos_min(memory, sequence)
        last = lib.llama_memory_seq_pos_max(memory, sequence)
        if 0 < length <= last and first > max(0, length - self._weights.window) and self._weights.cell_bytes:
            return False
        return bool(lib.llama_memory_seq_rm(memory, sequence, length, -1))

    def save(self, sequence: int, whole: bool = False) -> NDArray[np.uint8]:
        """What ``sequence`` holds; unless ``whole``, without the cells that can be cropped."""
        lib, flags = self._weights.library, self._flags(whole)
        state = np.empty(lib.llama_state_seq_get_size_ext(self._pointer, sequence, flags), np.uint8)
        written = lib.llama_state_seq_get_data_ext(self._pointer, _uint8(state), state.size, sequence, flags)
        return state[:written]

    def restore(self, sequence: int, state: NDArray[np.uint8], whole: bool = False) -> bool:
        """Put back what :meth:`save` gave; False, and nothing is held, where llama.cpp does not take it."""
        lib, flags = self._weights.library, self._flags(whole)
        read = lib.llama_state_seq_set_data_ext(self._pointer, _uint8(state), state.size, sequence, flags)
        if read != state.size:
            self.crop(sequence, 0)
        return bool(read == state.size)

    def state_bytes(self, sequence: int) -> int:
        return int(self._weights.library.llama_state_seq_get_size(self._pointer, sequence))

    def read(self, sequence: int, ids: Sequence[int], before: int, keep: int) -> NDArray[np.float32]:
        """Read ``ids`` (at most ``rows``) as tokens ``before``, ... of ``sequence``; logits after the last ``keep``.

        Shape (keep, V): a view of llama.cpp's own memory, true until the next read. Raises Problem where memory or
        the library fails; the sequence then holds its first ``before`` tokens, or nothing if it cannot go back. Raises
        Interrupted after a :data:`stop`; it is to be cropped or restored then.
        """
        lib, n = self._weights.library, len(ids)
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
        _said.clear()
        code = lib.llama_decode(self._pointer, batch)
        while code == _NO_CELLS:
            self._grow()
            code = lib.llama_decode(self._pointer, batch)
        logits = lib.llama_get_logits(self._pointer)
        if code or not logits:
            if code == _STOPPED:  # cells cleared here would be missing under a state that is put back
                raise Interrupted("llama.cpp", lost=False)
            if not self.crop(sequence, before):
                self.crop(sequence, 0)
            raise Problem(f"llama.cpp failed ({code}: {first_words()})", "shorten the text, or load the model again")
        return np.ctypeslib.as_array(logits, (keep, self._weights.vocabulary))

    @property
    def _memory(self) -> Any:
        return self._weights.library.llama_get_memory(self._pointer)

    def _flags(self, whole: bool) -> int:
        return 0 if whole else int(self._weights.library.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)

    def _grow(self) -> None:
        lib, former, end = self._weights.library, self._pointer, self._end
        alone = self._weights.sequences == 1  # a state of one sequence goes where more can follow it without a gap
        if alone:
            state = self.save(0, whole=True)
        else:
            state = np.empty(lib.llama_state_get_size(former), np.uint8)
            state = state[: lib.llama_state_get_data(former, _uint8(state), state.size)]
        self._pointer, self._end = self._made(2 * self.cells)
        if alone:
            read = lib.llama_state_seq_set_data_ext(self._pointer, _uint8(state), state.size, 0, self._flags(True))
        else:
            read = lib.llama_state_set_data(self._pointer, _uint8(state), state.size)
        if read != state.size:
            self._end()
            self._pointer, self._end = former, end
            raise Problem(f"llama.cpp cannot enlarge its cache ({first_words()})", "shorten the text")
        self.cells *= 2
        end()

    def _made(self, cells: int) -> tuple[Any, Any]:
        weights, lib = self._weights, self._weights.library
        if cells * weights.cell_bytes + weights.sequences * weights.state_bytes > memory()[0]:
            raise Problem(f"there is no memory for a cache of {cells:,} tokens", "shorten the text")
        settings = lib.llama_context_default_params()
        settings.n_ctx = max(cells, _LEAST_CELLS)
        settings.n_batch = settings.n_ubatch = weights.rows
        settings.n_seq_max = weights.sequences
        settings.n_threads = settings.n_threads_batch = weights.threads
        # keys and values in 16 bits, and flash attention, would make logits depend on how a text is cut into chunks
        settings.type_k = settings.type_v = lib.GGML_TYPE_F32
        settings.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        settings.pooling_type = lib.LLAMA_POOLING_TYPE_NONE
        settings.kv_unified = True
        settings.swa_full = True  # a layer with a window keeps all as long as there are cells, to go back to
        settings.no_perf = True
        settings.abort_callback, settings.abort_callback_data = _looks(lib), ctypes.addressof(stop)
        _said.clear()
        pointer = lib.llama_init_from_model(weights.pointer, settings)
        if not pointer:
            cause = f"llama.cpp makes no cache of {cells:,} tokens ({first_words()})"
            raise Problem(cause, "shorten the text, or close other programs")
        return pointer, weakref.finalize(self, _freed, lib, pointer, weights)


def _looks(lib: Any) -> Any:
    """What llama.cpp calls after each operation: is there anything in the string? A call of Python would cost 3 %."""
    c = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    return ctypes.cast(c.strlen, lib.ggml_abort_callback)


def _freed(lib: Any, pointer: Any, weights: Weights) -> None:
    lib.llama_free(pointer)  # `weights` is held until here: they are freed after their contexts


def first_words() -> str:
    """The error that llama.cpp told first: the later ones say only that something failed."""
    return re.sub(r"^\w+: (error loading model( \w+)?: )?", "", _said[0])[:200] if _said else "without a word"


def _int32(numbers: np.ndarray) -> Any:
    return numbers.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))


def _uint8(numbers: np.ndarray) -> Any:
    return numbers.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
