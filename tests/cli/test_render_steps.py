"""`nndsl render --unroll`."""

from __future__ import annotations


def test_steps_on_the_command_line(tmp_path, nndsl) -> None:
    (tmp_path / "m.nn").write_text("net A { input x: [T, 3]; lstm(4) -> last -> dense(2) }\n")
    ended = nndsl("render", "m.nn", "--unroll", "3", "-o", "m.dot")
    assert (ended.code, ended.err) == (0, "")
    assert (tmp_path / "m.dot").read_text().count("lstm(4)") == 3
