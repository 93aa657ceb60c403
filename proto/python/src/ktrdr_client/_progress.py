"""A progress bar of an operation: in a terminal and in a notebook by itself, anywhere else on request."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

from .models import Operation

#: `None`: where somebody looks; `True` or `False`; or a function that is given each state of the operation.
Show: TypeAlias = "bool | Callable[[Operation], object] | None"


class Progress:
    """Shows an operation; a context, at whose end nothing is shown any more."""

    def __init__(self, show: Show) -> None:
        self.tell = show if callable(show) else None
        self.wanted = _somebody_looks() if show is None else show is True
        self.bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, operation: Operation) -> None:
        """The operation as it is now."""
        if self.tell is not None:
            self.tell(operation)
        if not self.wanted:
            return
        progress = operation.progress
        if self.bar is None:
            self.bar = _bar(operation.subject or operation.kind, progress.unit or "steps")
        if self.bar.total != (progress.total or None):
            self.bar.total = progress.total or None
        self.bar.n = progress.done
        # of one that has ended the state says most
        self.bar.set_postfix_str(operation.state if operation.ended else progress.message, refresh=False)
        self.bar.refresh()


def _somebody_looks() -> bool:
    # ipykernel puts its own stream there, which is no terminal
    return sys.stderr.isatty() or "ipykernel" in type(sys.stderr).__module__


def _bar(name: str, unit: str) -> Any:
    with warnings.catch_warnings():
        # without ipywidgets a notebook gets the bar of a terminal, which does well
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(desc=name, unit=f" {unit}", leave=True)
