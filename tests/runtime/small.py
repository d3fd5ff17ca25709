"""A program of two kernels, written by hand."""

from nndsl.codegen.program import Buffer, Call, Element, Kernel, Program, Region, Size, Split

SIZE = 100
P = Buffer("p", Region.PARAMETERS, Element.FLOAT32, 0, SIZE)
W = Buffer("w", Region.WORKSPACE, Element.FLOAT32, 0, SIZE)
LOSS = Buffer("loss", Region.WORKSPACE, Element.FLOAT32, 448, 1)

HALVE = Kernel(
    "halve",
    "glue",
    """def halve(p, w, low, high):
    for i in range(low, high):
        w[i] = p[i]
        p[i] = p[i] * float32(0.5)
""",
    ("pointer:float32",) * 2,
    Element.FLOAT32,
)
TOTAL = Kernel(
    "total",
    "glue",
    """def total(w, y, n, low, high):
    s = float64(0.0)
    for i in range(n):
        s = s + w[i]
    y[0] = float32(s)
""",
    ("pointer:float32", "pointer:float32", "size"),
    Element.FLOAT32,
)
CALLS = (
    Call(0, (P, W), Size(SIZE), Split.OWN, align=16, reach=(SIZE, SIZE)),
    Call(1, (W, LOSS, Size(SIZE)), Size(1), Split.ONE, barrier=True, reach=(SIZE, 1)),
)


def program(watch="loss"):
    return Program(
        kernels=(HALVE, TOTAL),
        calls=CALLS,
        buffers={b.name: b for b in (P, W, LOSS)},
        inputs={"p": P},
        outputs={"loss": LOSS, "w": W},
        region_bytes={Region.PARAMETERS: 448, Region.WORKSPACE: 512},
        precision=Element.FLOAT32,
        batch=1,
        watch=watch,
        shapes={"p": (SIZE,), "loss": (), "w": (SIZE,)},
        parameters=("p",),
    )
