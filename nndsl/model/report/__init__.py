"""The report of a run: its data gathered, judged and put in order; `write_report` makes the file.

`evidence` reads the run and its rows, `judgement` says what the figures are worth, `machine`
measures kernels, `tables` and `writing` make sections of it all.
"""
