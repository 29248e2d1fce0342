"""The catalogue of panels: a new panel is one new file and one line here. It is read without Qt."""

from __future__ import annotations

from arplay.export.charts import (
    BARS,
    BETS,
    CACHE,
    CANDIDATES,
    CAUSALITY,
    COMPARISON,
    HEATMAP,
    LEDGER,
    ORDERS,
    PERPLEXITY,
    PLOTS,
    TOKENIZERS,
    TREE,
    TRIED,
    WORDS,
)
from arplay.gui.panels.entry import PanelEntry

RIGHT = (270, 0.3, 620)
"""The width of what stands right of the text, as :class:`PanelEntry` has it."""
PANELS = (
    PanelEntry("arplay.gui.panels.editor:EditorPanel", "Text", "centre"),
    PanelEntry("arplay.gui.panels.decoding:DecodingPanel", "Decoding", "left"),
    PanelEntry("arplay.gui.panels.next_token:NextTokenPanel", "Next token", "right", side=RIGHT, chart=BARS),
    PanelEntry(
        "arplay.gui.panels.candidates:CandidatesPanel", "Candidates", "right", side=RIGHT, behind=True, chart=CANDIDATES
    ),
    PanelEntry("arplay.gui.panels.heatmap:HeatmapPanel", "Heatmap", "bottom", chart=HEATMAP),
    PanelEntry("arplay.gui.panels.words:WordsPanel", "Words", "bottom", behind=True, chart=WORDS),
    PanelEntry("arplay.gui.panels.plots:PlotsPanel", "Plots", "bottom", behind=True, chart=PLOTS),
    PanelEntry("arplay.gui.panels.perplexity:PerplexityPanel", "Perplexity", "bottom", behind=True, chart=PERPLEXITY),
    PanelEntry("arplay.gui.panels.comparison:ComparisonPanel", "Comparison", "bottom", behind=True, chart=COMPARISON),
    PanelEntry("arplay.gui.panels.tokenizers:TokenizersPanel", "Tokenizers", "bottom", behind=True, chart=TOKENIZERS),
    PanelEntry("arplay.gui.panels.ledger:LedgerPanel", "Ledger", "bottom", chart=LEDGER),
    PanelEntry("arplay.gui.panels.history:HistoryPanel", "History", "bottom", behind=True, chart=TREE),
    PanelEntry(
        "arplay.gui.panels.continuations:ContinuationsPanel", "Continuations", "bottom", behind=True, chart=TRIED
    ),
    PanelEntry("arplay.gui.panels.betting:BettingPanel", "Be the model", "bottom", behind=True, chart=BETS),
    PanelEntry("arplay.gui.panels.causality:CausalityPanel", "Causality", "bottom", behind=True, chart=CAUSALITY),
    PanelEntry("arplay.gui.panels.kv_cache:KvCachePanel", "Cost of a step", "bottom", behind=True, chart=CACHE),
    PanelEntry("arplay.gui.panels.orders:OrdersPanel", "Orders", "bottom", behind=True, chart=ORDERS),
)
