"""Recurrent networks that arplay has trained."""

from arplay.models.family import Family, Training

LSTM = Family(
    name="LSTM",
    what="A recurrent network that arplay has trained; its state has a fixed size.",
    model_type="arplay-rnn",
    open="arplay.models.families.lstm.loading:load",
    card="arplay.models.store.cards:of_folder",
    coder="arplay.models.alphabets.files:of_folder",
    build="arplay.models.families.lstm.loading:build",
    any_context=True,
    training=Training(
        key="rnn",
        label="LSTM",
        about="A recurrent network: reads token by token and keeps a state of fixed size, in which what is far fades.",
        kind="an LSTM",
        by="arplay.models.families.lstm.network:lstm",
        shape="arplay.training.sizes:RECURRENT",
        context=128,
        batch=32,
        rates={"muon_rate": 0.0, "adamw_rate": 0.01, "compile": False},
    ),
)
