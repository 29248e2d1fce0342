"""What `arplay bench` compares itself with: plain loops of the libraries over the unmodified network."""

from typing import Any, cast


class Transformers:
    def __init__(self, path: str, dtype: str, device: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM, utils

        cast(Any, utils).logging.disable_progress_bar()
        self.torch, self.device, self.past, auto = torch, device, cast(Any, None), cast(Any, AutoModelForCausalLM)
        self.net: Any = auto.from_pretrained(path, dtype=dtype, use_safetensors=True, local_files_only=True).to(device)

    def read(self, ids: list[int]) -> None:
        given = self.torch.tensor([ids], device=self.device)
        self.past = self.net(given, past_key_values=self.past, use_cache=True, logits_to_keep=1).past_key_values

    def generate(self, ids: list[int], new: int) -> None:
        more = {"max_new_tokens": new, "min_new_tokens": new, "pad_token_id": 0, "return_dict_in_generate": True}
        given = self.torch.tensor([ids], device=self.device)
        self.net.generate(given, past_key_values=self.past, do_sample=True, top_k=0, output_logits=True, **more)

    def score(self, chunks: list[list[int]]) -> float:
        total, past, before = 0.0, None, None
        for given in (self.torch.tensor([ids], device=self.device) for ids in chunks):
            logits, past = self.net(given, past_key_values=past, use_cache=True)[:2]
            rows = logits[0, :-1] if before is None else self.torch.cat([before, logits[0, :-1]])
            chosen = given[0, len(given[0]) - len(rows) :, None]
            total += float(self.torch.log_softmax(rows.float(), -1).gather(1, chosen).sum())
            before = logits[0, -1:]
        return total


class LlamaCpp:
    def __init__(self, path: str, threads: int, cells: int) -> None:
        import llama_cpp

        self.net: Any = llama_cpp.Llama(path, n_ctx=cells, n_threads=threads, verbose=False)

    def read(self, ids: list[int]) -> None:
        self.net.eval(ids)
