"""`augment = random_crop(32, pad=4) -> random_flip`: distortions of the pictures that train."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.types import format_shape
from nndsl.lower.result import Augment, Inferred
from nndsl.lower.train_settings import Written
from nndsl.lower.values import Composite, DataSource, Given, Mention
from nndsl.lower.words import Bound, bind, find_word, shown
from nndsl.schema import InputSchema, Schema, TargetKind
from nndsl.vocab.arguments import ArgumentProblem, Mistake, argument_error
from nndsl.vocab.augmentation import Distortion, Size
from nndsl.vocab.registry import WordCall

COPIES = "copies"


def read_augment(written: Written, schema: Schema | None) -> Augment:
    """The chain as written, checked against the pictures where they are known.

    Errors: NN301 for an unknown distortion, NN309 for what is none, NN311 to NN315 for arguments,
    NN323 for data without pictures, or with larger or smaller ones to be predicted.
    """
    value = written.evaluated()
    picture = _picture(schema, written.span)
    copies = 1
    if isinstance(value, Mention) and value.name == COPIES:
        bound = _copies(value, written.span)
        copies, bounds = bound.call.arguments["count"], _chain(_inner(value), written.span)
    else:
        bounds = _chain(value, written.span)
    chain = tuple(bound.call for bound in bounds)
    mixing = [bound for bound in bounds if _word(bound.call).blend is not None]
    if len(mixing) > 1:
        raise error("NN309", "pictures are mixed once", mixing[1].call.span, "the second time",
                    secondary=[(mixing[0].call.span, "the first time")])  # fmt: skip
    if picture is None:
        return Augment(chain, copies)
    following = next((b for b in bounds if _word(b.call).follow is not None), None)
    if following is not None and schema is not None:
        _check_followed(following, mixing, schema)
    channels, *given = picture.shape
    assert schema is not None  # it has the picture
    _check_targets(schema, given, written.span)
    size = _size(bounds, channels, (given[0], given[1]))
    return Augment(chain, copies, size if list(size) != given else None)


def _picture(schema: Schema | None, span: Span) -> InputSchema | None:
    """The only input of pictures; None while the data is not there."""
    if schema is None:
        return None
    found = [i for i in schema.inputs if len(i.shape) == 3]
    if len(found) == 1:
        return found[0]
    inputs = ", ".join(f"`{i.name}` is {format_shape(i.shape)}" for i in schema.inputs)
    raise error(
        "NN323",
        f"`augment` distorts pictures, and `{schema.name}` has "
        + ("none" if not found else f"{len(found)} inputs of them"),
        span,
        notes=[inputs],
        help='pictures are read by `data d = images("folder")`' if not found else (),
    )


def _check_followed(following: Bound, mixing: list[Bound], schema: Schema) -> None:
    """What is predicted must be one number where a distortion changes it with the picture."""
    name = following.call.name
    if mixing:
        title = f"`{name}` changes what is to be predicted: such pictures are not mixed"
        turning = [(following.call.span, "turns the answer with the picture")]
        raise error("NN309", title, mixing[0].call.span, secondary=turning)
    single = [t.kind is TargetKind.NUMBERS and not t.shape for t in schema.targets]
    if single != [True]:
        raise error(
            "NN323",
            f"`{name}` changes where to steer, and `{schema.name}` is not about one number",
            following.call.span,
            notes=["the targets: " + ", ".join(f"`{t.name}`" for t in schema.targets)],
            help="`shift` and `rotate` move the pictures and leave the targets as they are",
        )


def _check_targets(schema: Schema, size: list[int], span: Span) -> None:
    """NN323 for pictures to be predicted that are not as large as those that they move with."""
    for target in schema.targets:
        if target.pictures and list(target.shape[1:]) != size:
            wanted, found = (format_shape(tuple(s)) for s in (size, target.shape[1:]))
            raise error(
                "NN323",
                f"`augment` moves pictures of {wanted}, but the pictures of `{target.name}` are "
                f"{found}",
                span,
                help="leave `augment` out, or give both the same `size`",
            )


def _copies(mention: Mention, span: Span) -> Bound:
    """`copies(count, chain)`, with the chain resolved first."""
    resolved = tuple(bound.call for bound in _chain(_inner(mention), span))
    given = list(mention.given or ())
    place = _place_of_chain(given)
    if place is not None:
        given[place] = replace(given[place], value=resolved)
    return bind(replace(mention, given=tuple(given)), find_word(mention, "distortion"))


def _place_of_chain(given: list[Given]) -> int | None:
    named = next((i for i, g in enumerate(given) if g.name == "chain"), None)
    second = len(given) > 1 and given[1].name is None
    return named if named is not None or not second else 1


def _inner(mention: Mention) -> Any:
    """The chain in `copies(...)`, None where it is missing."""
    given = list(mention.given or ())
    place = _place_of_chain(given)
    return given[place].value if place is not None else None


def _chain(value: Any, span: Span) -> list[Bound]:
    return [_distortion(item, span) for item in _items(value)]


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, Composite) and value.symbol == "->":
        yield from _items(value.left)
        yield from _items(value.right)
    elif value is not None:
        yield value


def _distortion(item: Any, span: Span) -> Bound:
    if not isinstance(item, Mention):
        raise error(
            "NN309",
            f"`augment` is a chain of distortions, not {shown(item)}",
            span,
            help="such as `shift(1) -> rotate(10)`",
        )
    if item.name == COPIES:
        raise error(
            "NN309",
            "`copies` stands around the whole chain",
            item.span,
            help="augment = copies(5, shift(1) -> rotate(10))",
        )
    return bind(item, find_word(item, "distortion"))


def _word(call: WordCall) -> Distortion:
    assert isinstance(call.word, Distortion)
    return call.word


def _size(bounds: list[Bound], channels: int, size: Size) -> Size:
    """What comes out of the chain; each word is asked whether it can take what it gets."""
    for bound in bounds:
        word, arguments = _word(bound.call), bound.call.arguments
        expected = word.problem(arguments, channels, size) if word.problem is not None else ""
        if expected:
            raise _refused(bound, expected)
        size = word.size(arguments, size) if word.size is not None else size
    return size


def _refused(bound: Bound, expected: str) -> NndslError:
    word = bound.call.word
    name = next(iter(word.parameters))
    if "size" not in word.parameters:
        title = f"`{word.name}` is {expected}"
        return error("NN323", title, bound.call.span)
    spans: dict[str | int, Span] = dict(bound.places.items())
    problem = ArgumentProblem(
        word, Mistake.REFUSED, name, None, bound.call.arguments[name], expected
    )
    return argument_error(problem, bound.call.span, spans)


def as_augmented(source: DataSource, augment: Augment) -> DataSource:
    """The data as the network sees it: pictures of the size that the chain gives, targets too."""
    if augment.size is None or source.schema is None:
        return source
    height, width = augment.size
    inputs = tuple(
        replace(i, shape=(i.shape[0], height, width)) if len(i.shape) == 3 else i
        for i in source.schema.inputs
    )
    targets = tuple(
        replace(t, shape=(t.shape[0], height, width)) if t.pictures else t
        for t in source.schema.targets
    )
    sizing = next(c for c in augment.chain if _word(c).size is not None)
    schema = replace(source.schema, inputs=inputs, targets=targets)
    return replace(source, schema=schema, resized=sizing.span)


def picture_notes(source: DataSource, augment: Augment) -> list[Inferred]:
    """For `show defaults`: how bytes become numbers, and what is cut from pictures that test."""
    notes = []
    specification, schema = source.specification, source.schema
    chained = {c for chain in specification.chains for c in chain.columns} if specification else ()
    for given in schema.inputs if schema is not None else ():
        steps = [step for name in given.columns for step in given.steps[name]]
        if len(given.shape) != 3 or set(given.columns) & set(chained) or not steps:
            continue
        scaled = steps[0].word == "scale"
        taken = "pixels / 255" if scaled else " -> ".join(step.word for step in steps)
        why = "bytes, 0 to 255" if scaled else "learnt for each channel from the training part"
        notes.append(Inferred(f"input {given.name}", taken, why, source.span))
    if augment.size is not None:
        size = "x".join(map(str, augment.size))
        why = "`augment` gives this size; nothing else is distorted there"
        notes.append(Inferred("pictures that test", f"the middle {size}", why))
    return notes
