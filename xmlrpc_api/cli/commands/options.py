"""Arguments and options that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

ROOT_ID, ROOT_LOGIN = "1", "ssp-root"  # those of models and installation, which are not imported for them


class Format(StrEnum):
    """How rows are written down."""

    CSV = "csv"
    JSONL = "jsonl"


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
FormatOption = Annotated[Format | None, typer.Option("--format", help="By the file's ending if left out.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Try every row, change nothing.")]
Source = Annotated[Path, typer.Argument(help="File to read; - is standard input.")]
Results = Annotated[
    Path | None, typer.Option(help="New CSV file for the result of each row; FILE.results.csv if left out.")
]
