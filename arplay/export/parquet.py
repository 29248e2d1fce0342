"""Tables as Parquet: columns with types, and where they are from in the file's key-value metadata.

It is written by pyarrow, the format's reference implementation, which is large and no dependency of arplay's own.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from arplay.core.errors import Problem
from arplay.export.tables import Record, is_text
from arplay.export.writers import to_json_line

INSTALL = "pip install 'arplay[parquet]'"


def to_parquet(
    rows: Sequence[Record], columns: Sequence[str], comments: Sequence[str], about: Mapping[str, Record]
) -> bytes:
    """The whole file. Whole numbers are int64, others double, and what is None or NaN is null; infinite stays infinite.

    Its metadata has ``comments``, the lines that stand above a CSV, and each of ``about`` as JSON. Raises Problem where
    pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise Problem("pyarrow, which writes Parquet, is not installed", f"{INSTALL}, or choose CSV") from error
    made = [_column(pyarrow, name, [row[name] for row in rows]) for name in columns]
    table = pyarrow.Table.from_arrays(made, names=list(columns))
    said = {"comments": "\n".join(comments), **{name: to_json_line(value) for name, value in about.items()}}
    out = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata(said), out)
    return out.getvalue()


def _column(pyarrow: Any, name: str, values: list[Any]) -> Any:
    known = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
    there = {type(value) for value in known if value is not None}
    if there <= {bool} and there:
        kind = pyarrow.bool_()
    elif there <= {int} and there:
        kind = pyarrow.int64()
    elif there <= {int, float} and (there or not is_text(name)):
        kind = pyarrow.float64()
    else:
        kind, known = pyarrow.string(), [value if value is None else str(value) for value in known]
    return pyarrow.array(known, kind)
