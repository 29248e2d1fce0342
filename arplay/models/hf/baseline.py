"""What `arplay bench` compares itself with: plain loops of the libraries over the unmodified network."""

from typing import Any, cast

from arplay.models.base import Model
from arplay.models.hf import library


class Transformers:
    def __init__(self, path: str, dtype: str, device: str) -> None:
        import torch

        self.torch, self.device, self.past = torch, device, cast(Any, None)
        self.net: Any = library.causal_network(path, dtype=dtype).to(device)
        self.forward = library.Forward(self.net)

    def read(self, ids: list[int]) -> None:
        self.past = self.forward(self.torch.tensor([ids], device=self.device), self.past, keep=True, rows=1)[1]

    def generate(self, ids: list[int], new: int) -> None:
        more = {"max_new_tokens": new, "min_new_tokens": new, "pad_token_id": 0, "return_dict_in_generate": True}
        more |= self.forward.given_back(self.past)
        given = self.torch.tensor([ids], device=self.device)
        self.net.generate(given, do_sample=True, top_k=0, output_logits=True, **more)

    def score(self, chunks: list[list[int]]) -> float:
        total, past, before = 0.0, None, None
        for given in (self.torch.tensor([ids], device=self.device) for ids in chunks):
            logits, past = self.forward(given, past, keep=True)
            rows = logits[0, :-1] if before is None else self.torch.cat([before, logits[0, :-1]])
            chosen = given[0, len(given[0]) - len(rows) :, None]
            total += float(self.torch.log_softmax(rows.float(), -1).gather(1, chosen).sum())
            before = logits[0, -1:]
        return total


def baseline(model: Model, cells: int) -> Transformers | None:
    """The library's own loop over the same folder; None where several devices share the network."""
    info = model.info
    return None if info.placement else Transformers(info.source, info.dtype, info.device)
