"""Running text as data: `data book = text("book.txt", window=64)`.

A text becomes numbers of units (characters, bytes, words) once; a row is a window of them, its
target the same window one unit further. The text is cut in time: first training, last test.
"""
