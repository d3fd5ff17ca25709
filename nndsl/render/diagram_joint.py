"""Several nets that are trained together: dashed arrows for what feeds each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nndsl.lower.result import JOINT, Network
from nndsl.render.diagram_picture import Arrow, Box, Picture


def with_wiring(picture: Picture, network: Network) -> Picture:
    """The picture of nets side by side with what feeds them; any other picture as it is."""
    if JOINT not in network.name:
        return picture
    inputs = {net: box for net in network.name.split(JOINT) for box in _inputs(picture, net)}
    frames = {frame.text: frame for frame in picture.frames if frame.parent is None}
    for net, box in inputs.items():
        box.frame = frames.get(net)
        inside = _reached(picture, box)[1:]
        picture.boxes.remove(box)
        place = min((picture.boxes.index(one) for one in inside), default=0)
        picture.boxes.insert(place, box)
        box.lines = (box.lines[0].removeprefix(f"{net}."), *box.lines[1:])
    picture.arrows[:] = [_renamed(arrow, inputs) for arrow in picture.arrows]
    fed = dict.fromkeys(source for source, _ in network.wiring if source not in inputs)
    sources = {text: Box("training", (text,)) for text in fed}
    picture.boxes[:0] = sources.values()
    ends = {net: _end(picture, box) for net, box in inputs.items()}
    for source, net in network.wiring:
        begin = sources.get(source) or ends.get(source)
        if begin is not None and net in inputs:
            picture.arrows.append(Arrow(begin, inputs[net], dashed=True))
    return picture


def _inputs(picture: Picture, net: str) -> Iterator[Box]:
    """The box of a net's own input."""
    for box in picture.boxes:
        if box.kind == "input" and box.lines[0].startswith(f"{net}."):
            yield box


def _reached(picture: Picture, start: Box) -> list[Box]:
    """The boxes that arrows lead to from one, itself first."""
    found = [start]
    for box in found:
        after = [a.target for a in picture.arrows if a.source is box and a.target is not None]
        found += [target for target in dict.fromkeys(after) if target not in found]
    return found


def _end(picture: Picture, start: Box) -> Box:
    """The box that gives a net's answer."""
    inside = _reached(picture, start)
    leaving = [a.source for a in picture.arrows if a.target is None and a.source in inside]
    return leaving[0] if leaving else start


def _renamed(arrow: Arrow, nets: dict[str, Box]) -> Arrow:
    """An output without the name of its net, which stands on the frame."""
    net, _, name = arrow.name.partition(".")
    return replace(arrow, name=name) if net in nets and name else arrow
