"""A game of bets as a table: a record a token, with the chips on it and the bits that it cost each."""

from __future__ import annotations

from arplay.core.betting import PLAYERS
from arplay.core.errors import Problem
from arplay.export.charts import Shown, Table


def bets(shown: Shown) -> Table:
    """Raises Problem where nothing was bet on yet."""
    game = shown.game
    if game is None or not game.moves:
        raise Problem("nothing was bet on yet", "begin in “Be the model”, and reveal a token")
    tokens, rows = shown.loaded.vocabulary, []
    for move in game.moves:
        costs = {f"{player}_bits": move.cost(player) for player in PLAYERS}
        placed = [{"id": id, **tokens.record(id), "chips": chips} for id, chips in move.placed]
        rows.append(
            {"index": move.index, "id": move.id, **tokens.record(move.id), **costs, "rank": move.rank, "placed": placed}
        )
    sums = {player: game.sum(player) for player in PLAYERS}
    totals = {
        player: {"bits": sum.bits, "tokens": sum.count, "bits_per_token": sum.mean if sum.count else None}
        for player, sum in sums.items()
    }
    rule = {
        "you": "k/100 for a token with k chips; the chips left are spread over all others alike",
        "model": "the model's own p, before any decoding; null where it does not tell it",
        "unigram": "(c + 1) / (n + V): its count among the n tokens before it, V tokens in the vocabulary",
    }
    origin = shown.origin()
    record = {
        "provenance": origin.as_dict(),
        "vocabulary": game.size,
        "start": game.start,
        "hidden": game.count - len(game.moves),
        "rules": rule,
        "totals": totals,
        "tokens": rows,
    }
    flat = [row | {"placed": " ".join(f"{bet['id']}:{bet['chips']}" for bet in row["placed"])} for row in rows]
    lines = [f"{player}: {rule[player]}; {sum.bits} bits of {sum.count} tokens" for player, sum in sums.items()]
    return Table(record, flat, tuple(flat[0]), [*origin.lines(), *lines])
