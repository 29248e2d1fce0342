"""One probability in every order, as a table: a record a factor; and the two networks of two orders, where trained."""

from __future__ import annotations

import math

from arplay.core.errors import Problem
from arplay.core.format import nats_and_bits, power_cell
from arplay.core.modalities.base import Encoded, TokenSet
from arplay.core.orders import Orders, listed
from arplay.core.two_orders import TwoOrders
from arplay.export.charts import NOT_YET, Shown, Table
from arplay.export.tables import Record

COLUMNS = ("order", "name", "place", "index", "id", "known", "logprob", "total")


def summary(found: Orders) -> str:
    """What the totals say, and which tokens they are of."""
    count = f"{'all ' if found.every else ''}{len(found.products):,} orders"
    orders = "the only order" if len(found.products) == 1 else count
    apart = power_cell(found.largest_difference) if found.largest_difference else "0"
    first = f"The first {len(found.ids)} of {found.of:,} tokens: " if len(found.ids) < found.of else ""
    orders = orders if first else orders[0].upper() + orders[1:]
    return f"{first}{orders}, one total: log p = {nats_and_bits(found.total)}; largest difference {apart} nats"


def record(found: Orders, encoded: Encoded, tokens: TokenSet) -> Record:
    """As JSON has it, in nats; of a factor that is not defined the log p is null."""
    return {
        "tokens": [encoded.said(i, tokens) for i in range(len(found.ids))],
        "ids": list(found.ids),
        "tokens_of_document": found.of,
        "every_order": found.every,
        "total": found.total,
        "largest_difference": found.largest_difference,
        "orders": [
            {
                "name": each.name,
                "order": list(each.order),
                "logprobs": [None if math.isnan(factor.logprob) else factor.logprob for factor in each.factors],
                "total": each.total,
            }
            for each in found.products
        ],
    }


def rows(found: Orders) -> list[Record]:
    """A record a factor, of token indices from 0, in the order in which each product tells them."""
    return [
        {
            "order": number,
            "name": each.name,
            "place": place,
            "index": factor.index,
            "id": found.ids[factor.index],
            "known": " ".join(map(str, factor.known)),
            "logprob": None if math.isnan(factor.logprob) else factor.logprob,
            "total": each.total,
        }
        for number, each in enumerate(found.products)
        for place, factor in enumerate(each.factors)
    ]


def orders(shown: Shown) -> Table:
    """Raises Problem where nothing is scored yet, and where the joint distribution is not known."""
    if (ledger := shown.ledger) is None:
        raise Problem("the text is not scored yet", NOT_YET)
    loaded, encoded = shown.loaded, ledger.encoded
    found = listed(loaded.info.name, loaded.can.joint, len(loaded.vocabulary), encoded)
    origin = shown.origin()
    trained: TwoOrders | None = shown.found
    content = {"provenance": origin.as_dict()} | record(found, encoded, loaded.vocabulary)
    return Table(
        content | ({"trained": trained.record()} if trained is not None else {}),
        rows(found),
        COLUMNS,
        [*origin.lines(), summary(found), *(_comments(trained) if trained is not None else ())],
    )


def _comments(trained: TwoOrders) -> list[str]:
    """The networks in lines of a CSV file."""
    lines = [f"two networks, in bits: {trained.differ}"]
    return lines + [f"{name}: mean {mean}, beyond {beyond}, here {here}" for name, mean, beyond, here in trained.rows]
