"""The table of jobs: what runs for which request, the most urgent first. A new job is a file and a line here.

Those that only look at a child, five times a second, stand before scoring, and so do the short ones of the views of
training.
"""

from __future__ import annotations

from arplay.engine.candidates import Rate, rate
from arplay.engine.causality import Change, change
from arplay.engine.conventions import Compare, compare
from arplay.engine.curves import Sweep, sweep
from arplay.engine.divergence import Diverge, diverge
from arplay.engine.downloads import Describe, Fetch, describe, fetch
from arplay.engine.editing import MatchEdit, ScoreBase, match_edit, score_base
from arplay.engine.explore import Explore, explore
from arplay.engine.field import Reach, reach
from arplay.engine.free_running import FreeRun, free_run
from arplay.engine.job import Job, plain
from arplay.engine.load import Load, Unload, load, unload
from arplay.engine.mapping import Map, map_of
from arplay.engine.masks import BreakMask, break_mask
from arplay.engine.matching import MatchTokens, match_tokens
from arplay.engine.messages import Request
from arplay.engine.one_batch import OneBatch, one_batch
from arplay.engine.parting import Part, part
from arplay.engine.recompute import Recompute, recompute
from arplay.engine.reconcile import Reconcile, reconcile
from arplay.engine.replay import Replay, replay
from arplay.engine.rollouts import Roll, roll
from arplay.engine.runs import OpenRun, SaveRun, open_run, save_run
from arplay.engine.score_reports import WriteReport, write_report
from arplay.engine.scoring import Score, score
from arplay.engine.search import Search, search
from arplay.engine.segmentations import Segment, segment
from arplay.engine.text_set import (
    ReadField,
    ReadFields,
    ReadFile,
    ScoreSet,
    read_field,
    read_fields,
    read_file,
    score_set,
)
from arplay.engine.tokenizing import Make, Tokenize, make, tokenize
from arplay.engine.total import Total, total
from arplay.engine.two_orders import TrainOrders, train_orders
from arplay.engine.word_edges import Edges, edges_of
from arplay.engine.write import Write, write

JOBS: dict[type[Request], Job] = {
    Unload: plain(unload),
    Explore: plain(explore),
    Write: plain(write),
    Search: plain(search),
    Roll: plain(roll),
    Map: plain(map_of),
    Rate: plain(rate),
    Segment: plain(segment),
    Tokenize: plain(tokenize),
    Make: plain(make),
    Change: plain(change),
    FreeRun: plain(free_run),
    TrainOrders: plain(train_orders),
    OpenRun: plain(open_run),
    SaveRun: plain(save_run),
    WriteReport: plain(write_report),
    ReadFile: plain(read_file),
    ReadFields: plain(read_fields),
    ReadField: plain(read_field),
    Load: Job(load),
    Describe: Job(describe),
    Fetch: Job(fetch, already="is being fetched already"),
    BreakMask: Job(break_mask),
    OneBatch: plain(one_batch),
    Replay: plain(replay),
    Part: plain(part),
    MatchEdit: plain(match_edit),
    MatchTokens: plain(match_tokens),
    Score: plain(score),
    ScoreBase: plain(score_base),
    ScoreSet: plain(score_set),
    Diverge: plain(diverge),
    Reconcile: plain(reconcile),
    Total: plain(total),
    Compare: plain(compare),
    Edges: plain(edges_of),
    Sweep: plain(sweep),
    Reach: plain(reach),
    Recompute: plain(recompute),
}
