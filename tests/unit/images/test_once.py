"""Two commands that want the same folder."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from images.once import made_once


def test_two_that_ask_at_the_same_moment_get_one_folder_made_once(tmp_path: Path) -> None:
    makers: list[str] = []
    both_make = threading.Barrier(2)

    def ask(name: str) -> str:
        def make(folder: Path) -> None:
            makers.append(name)
            # Two makers at work would meet here; one alone waits in vain.
            with contextlib.suppress(threading.BrokenBarrierError):
                both_make.wait(timeout=0.5)
            (folder / "maker").write_text(name)

        return (made_once(tmp_path / "made", "making", make) / "maker").read_text()

    with ThreadPoolExecutor(2) as callers:
        seen = list(callers.map(ask, ["first", "second"]))
    assert len(makers) == 1
    assert seen == makers * 2


def test_what_a_failed_maker_left_is_gone_before_the_next_one_starts(tmp_path: Path) -> None:
    folder = tmp_path / "made"

    def fail(unfinished: Path) -> None:
        (unfinished / "half").touch()
        raise RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        made_once(folder, "making", fail)
    assert not folder.exists()
    made_once(folder, "making", lambda unfinished: (unfinished / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]


def test_a_folder_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()

    def fail(_unfinished: Path) -> None:
        raise AssertionError("made again")

    assert made_once(tmp_path / "made", "making", fail) == tmp_path / "made"
