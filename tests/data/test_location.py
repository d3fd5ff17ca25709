"""Which files may be read: inside the folder of the .nn file, plain, never fetched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nndsl.data import read_table
from tests.data.helpers import refusal, request

PLAIN = "a,t\n1,x\n2,y\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "d.csv").write_text(PLAIN)
    (tmp_path / "out.csv").write_text(PLAIN)
    return inside


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../out.csv", "sub/../../out.csv", "https://x.org/d.csv", "s3://b/d"]
)
def test_paths_that_leave_the_folder(folder: Path, path: str) -> None:
    problem = refusal("NN402", read_table, request(path=path), folder)
    assert problem.primary is not None


def test_links_may_not_lead_out(folder: Path) -> None:
    (folder / "link.csv").symlink_to(folder.parent / "out.csv")
    (folder / "good.csv").symlink_to(folder / "d.csv")
    refusal("NN402", read_table, request(path="link.csv"), folder)
    assert read_table(request(path="good.csv"), folder).rows == 2


def test_what_is_no_plain_file(folder: Path) -> None:
    (folder / "sub.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    assert "folder" in refusal("NN402", read_table, request(path="sub.csv"), folder).title
    assert "pipe" in refusal("NN402", read_table, request(path="pipe.csv"), folder).title
    assert "device" in refusal("NN402", read_table, request(), folder, "/dev/zero").title
    refusal("NN402", read_table, request(), folder, folder)
    refusal("NN402", read_table, request(), folder, "http://x.org/d.csv")


def test_absent_files_get_the_nearest_name(folder: Path) -> None:
    problem = refusal("NN401", read_table, request(path="e.csv"), folder)
    assert problem.help == ("did you mean `d.csv`?",)
    assert problem.fix is not None
    assert problem.fix.replacement == '"d.csv"'
    refusal("NN401", read_table, request(), folder, "no/such/file.csv")


def test_the_command_line_may_name_any_file(folder: Path) -> None:
    assert read_table(request(path="absent.csv"), folder, folder.parent / "out.csv").rows == 2


def test_a_file_that_changes_while_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nndsl.data import csv_file

    original = csv_file.gather

    def growing(*arguments, **keywords):
        found = original(*arguments, **keywords)
        with (folder / "d.csv").open("a") as stream:
            stream.write("3,z\n")
        return found

    monkeypatch.setattr(csv_file, "gather", growing)
    refusal("NN422", read_table, request(), folder)
