"""Data against network: sizes of outputs, endings that do not go with a target or a loss."""

from __future__ import annotations

from math import prod

from nndsl.diagnostics import NndslError, Span, counted, error
from nndsl.ir.types import format_shape, number_of
from nndsl.lower.outputs import Output
from nndsl.lower.problems import Problems
from nndsl.schema import TargetKind
from nndsl.vocab.kinds import Loss
from nndsl.vocab.preprocessing import numbers_of
from nndsl.vocab.registry import words

MOST_CLASSES_SHOWN = 6
SINGLE_OUTPUT = {"cross_entropy": "bce", "focal": "binary_focal", "multi_hinge": "hinge"}
"""Losses of one output for each class, and what stands for them where two classes share one."""
_NEVER_NEGATIVE = ("relu", "softplus")


def check_sizes(output: Output) -> None:
    """NN305 or NN306 when the output's size does not go with its target."""
    if output.pictures:
        _check_pictures(output)
        return
    if output.sequence:
        _check_sequence(output)
        return
    if len(output.tensor.shape) > 1:
        shape = format_shape(output.tensor.value.type.shape)
        raise error(
            "NN306",
            f"the output is {shape}, but `{output.target.name}` needs a plain list of numbers",
            output.span,
            f"gives {shape}",
            help="flatten -> dense(1)",
        )
    if isinstance(output.width, str):
        return
    if output.ending == "softmax" and output.width == 1:
        raise _lonely_softmax(output)
    if output.target.kind is TargetKind.CLASSES:
        _check_classes(output)
    elif output.width != _target_width(output):
        _wrong_width(output)


def _check_pictures(output: Output) -> None:
    """An answer for each pixel of the target: the same height and width, and its channels."""
    channels, *size = output.target.shape
    found = output.tensor.shape
    if len(found) != 3 or list(found[1:]) != size:
        wanted = f"{channels}x{size[0]}x{size[1]}"
        raise error(
            "NN306",
            f"the output is {format_shape(output.tensor.value.type.shape)}, but "
            f"`{output.target.name}` is a picture of {wanted}",
            output.span,
            "there must be an answer for each pixel",
            secondary=[(_target_span(output), "the target")],
            help="strides and pooling are undone by `conv_transpose` and `upsample`; "
            "`pad=same` keeps the size",
        )
    if output.ending == "softmax" and output.width == 1:
        raise _lonely_softmax(output)
    if output.target.kind is TargetKind.CLASSES:
        _check_classes(output)
    elif output.width != channels:
        what = "channel" if channels == 1 else "channels"
        raise error(
            "NN306",
            f"the output has {output.width} channels, but the pictures of `{output.target.name}` "
            f"have {channels} {what}",
            _producer(output),
            secondary=[(_target_span(output), "the target")],
            help=f"conv({channels}, 1)",
        )


def _check_sequence(output: Output) -> None:
    """An answer at each place of the sequence."""
    (length,) = output.target.shape
    found = output.tensor.shape
    if len(found) != 2 or number_of(found[0]) not in (None, length):
        raise error(
            "NN306",
            f"the output is {format_shape(output.tensor.value.type.shape)}, but "
            f"`{output.target.name}` is to be told at each of {length} places",
            output.span,
            "there must be an answer for each place",
            secondary=[(_target_span(output), "the target")],
            help=f"without `last`, or what else ends the sequence: ... -> {_answers_text(output)}",
        )
    if output.ending == "softmax" and output.width == 1:
        raise _lonely_softmax(output)
    if not isinstance(output.width, str):
        _check_classes(output)


def _lonely_softmax(output: Output) -> NndslError:
    """A share of a single number is no answer."""
    classes = len(output.target.classes)
    if output.target.kind is not TargetKind.CLASSES:
        remedy = "leave `softmax` out: numbers are predicted as they come"
    else:
        remedy = "sigmoid" if classes == 2 else f"{_answers_text(output)} -> softmax"
    return error(
        "NN306",
        "`softmax` of a single number is always 1",
        output.span,
        "one output",
        secondary=_stage_before(output),
        help=remedy,
    )


def _check_classes(output: Output) -> None:
    classes = len(output.target.classes)
    single = output.width == 1
    if output.width == classes or (single and classes == 2):
        return
    if single and output.ending == "step":
        return
    raise error(
        "NN305",
        f"the network has {counted(output.width, 'output')} but "
        f"`{output.target.name}` has {classes} classes",
        _producer(output),
        f"gives {counted(output.width, 'number')}",
        secondary=[(_target_span(output), _class_names(output))],
        help=_answers_text(output),
    )


def _producer(output: Output) -> Span | None:
    """The stage that decides how many numbers there are: the one before a softmax."""
    if output.last is not None and output.logits.node is not None and output.ending != "dense":
        return output.logits.node.span or output.span
    return output.span


def _stage_before(output: Output) -> list[tuple[Span | None, str]]:
    producer = _producer(output)
    return [(producer, "gives one number")] if producer != output.span else []


def _target_span(output: Output) -> Span | None:
    """Where the target's name stands in the `data` section."""
    source = output.source
    if source is None or source.specification is None:
        return None
    specification = source.specification
    setting = specification.settings.get("target") or specification.options.get("target")
    if setting is not None:
        return setting.span
    return source.span


def _class_names(output: Output) -> str:
    classes = output.target.classes
    shown = ", ".join(classes[:MOST_CLASSES_SHOWN])
    return f"{shown}, ..." if len(classes) > MOST_CLASSES_SHOWN else shown


def _answers_text(output: Output) -> str:
    """The stage that gives a number for each class."""
    classes = _classes_text(output)
    return f"conv({classes}, 1)" if output.pictures else f"dense({classes})"


def _classes_text(output: Output) -> str:
    return f"{output.source.name}.classes" if output.source else str(len(output.target.classes))


def _target_width(output: Output) -> int:
    return sum(prod(t.shape) * numbers_of(t.steps) for t in output.targets)


def _wrong_width(output: Output) -> None:
    names = ", ".join(f"`{t.name}`" for t in output.targets)
    count = _target_width(output)
    is_or_are = "is" if len(output.targets) == 1 else "are"
    raise error(
        "NN306",
        f"the network has {output.width} outputs but {names} "
        f"{is_or_are} {'one number' if count == 1 else f'{count} numbers'}",
        _producer(output),
        f"gives {output.width} numbers",
        secondary=[(_target_span(output), "the target")],
        help=f"dense({count})",
    )


def check_loss_with_output(output: Output, loss: str, span: Span, problems: Problems) -> None:
    """Errors where loss, ending and target cannot go together; lints where they go badly."""
    classes = output.target.kind is TargetKind.CLASSES
    word = words("loss").get(loss)
    if isinstance(word, Loss) and word.targets == "classes":
        _check_class_loss(output, loss, span)
    if loss == "bce" and output.ending == "softmax":
        problems.lint(
            "NN808",
            "`bce` sees shares of `softmax` where it wants logits",
            output.span,
            "shares between 0 and 1, read as logits",
            secondary=((span, "the loss"),),
            help="loss = cross_entropy",
        )
    squared = loss in ("mse", "half_squared_error", "mae")
    if classes and squared and output.ending == "softmax":
        problems.lint(
            "NN801",
            f"`{loss}` on shares of `softmax` learns slowly where the answer is wrong",
            span,
            "its gradient vanishes where softmax is sure, right or wrong",
            help="loss = cross_entropy",
        )
    if not classes and output.ending in (*_NEVER_NEGATIVE, "sigmoid", "softmax"):
        lint_ending(output, problems)
    if loss in ("cross_entropy", "bce") and output.ending in _NEVER_NEGATIVE:
        problems.lint(
            "NN802",
            f"`{loss}` reads the output as logits, but `{output.ending}` gives no negative ones",
            output.span,
            "the score of an unlikely class stays at 0",
            help=f"`{'sigmoid' if output.width == 1 else 'softmax'}` in its place",
        )


def _check_class_loss(output: Output, loss: str, span: Span) -> None:
    if output.target.kind is not TargetKind.CLASSES:
        raise error(
            "NN306",
            f"`{loss}` needs classes, but `{output.target.name}` is a number",
            span,
            help="loss = mse",
        )
    if output.width == 1:
        instead = SINGLE_OUTPUT.get(loss, "bce")
        raise error(
            "NN306",
            f"`{loss}` needs an output for each class; the network has one",
            span,
            secondary=[(_producer(output), "gives one number")],
            help=f"loss = {instead}" if len(output.target.classes) == 2 else (),
        )
    if output.ending == "sigmoid":
        raise error(
            "NN306",
            f"`{loss}` goes with `softmax`; `sigmoid` gives independent shares",
            output.span,
            "the shares need not add up to 1",
            secondary=[(span, "the loss")],
            help="softmax",
        )


def check_plain_target(output: Output, loss: str, span: Span) -> None:
    """NN306 for numbers that a loss of signs or shares would see standardised."""
    target = output.target
    scaled = [step.word for step in target.steps if step.word != "keep"]
    if target.kind is TargetKind.CLASSES or not scaled:
        return
    names = ", ".join(t.name for t in output.targets)
    listed = f"[{names}]" if len(output.targets) > 1 else names
    raise error(
        "NN306",
        f"`{loss}` needs `{target.name}` as it is, but it is changed by `{scaled[0]}`",
        span,
        secondary=[(_target_span(output), "the target")],
        help=f"target = {listed} -> keep",
    )


def lint_ending(output: Output, problems: Problems) -> None:
    """A regression target with values that the last activation can never give."""
    target = output.target
    scaled = any(step.word in ("standardize", "center", "robust") for step in target.steps)
    if scaled:
        problems.lint(
            "NN802",
            f"`{output.ending}` gives no negative numbers, but `{target.name}` has some "
            "(it is standardised)",
            output.span,
            "half of the targets cannot be reached",
            help=f"leave `{output.ending}` out at the end, or `target = {target.name} -> keep`",
        )
