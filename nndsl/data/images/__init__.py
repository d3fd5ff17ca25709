"""Pictures as data: folders of PNG and JPEG files, IDX and NumPy files, read when they are needed.

`reading.read_images` gives a table with an `ImageColumn`; what a network sees of it is an array or,
where there are too many, `LazyRows`. Pictures are channels x height x width.
"""
