"""The registries: every word that a `.nn` file may use, by sort, with its declared arguments.

A word is one definition. Adding one never touches this file, the grammar, or a list: definitions
register themselves when their module is imported by `nndsl.vocab`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, ClassVar

from nndsl.diagnostics import Span, nearest
from nndsl.params import Parameter
from nndsl.records import dataclass


@dataclass(frozen=True)
class Word:
    """Base of all definitions: a name, its arguments in order, one sentence, a source.

    The kinds (Activation, Loss, Optimizer, Schedule, Initializer, Metric, Step, Layer) subclass
    this with the part that only they have.
    """

    first: ClassVar[tuple[str, ...]] = ()  # what is written before the arguments

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    doc: str = ""
    see: str = ""

    @property
    def registry(self) -> str:
        """The sort of word: 'activation', 'layer', ... derived from the class."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class WordCall:
    """A word with its arguments converted, as written at `span` (None for a default)."""

    word: Word
    arguments: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None

    @property
    def registry(self) -> str:
        """The sort of word."""
        return self.word.registry

    @property
    def name(self) -> str:
        """The word's name."""
        return self.word.name


_words: dict[str, dict[str, Word]] = {}


_examples: dict[tuple[str, str], str] = {}


def register(word: Word, example: str = "") -> Word:
    """Add a definition; a name may be taken once in its registry.

    `example` is the line of a file that uses the word, where its sort does not say how it looks.
    """
    names = _words.setdefault(word.registry, {})
    if word.name in names:
        raise ValueError(f"the {word.registry} `{word.name}` is defined twice")
    names[word.name] = word
    if example:
        _examples[word.registry, word.name] = example
    return word


def example_of(word: Word) -> str:
    """The line given with the definition of a word; empty when there is none."""
    return _examples.get((word.registry, word.name), "")


def words(registry: str) -> Mapping[str, Word]:
    """All words of one sort by name."""
    return _words.get(registry, {})


def lookup(name: str, sorts: Iterable[str]) -> Word | None:
    """The word called `name` in the first of these registries that has it."""
    for sort in sorts:
        word = words(sort).get(name)
        if word is not None:
            return word
    return None


def nearest_words(name: str, sorts: Iterable[str], limit: int = 3) -> list[str]:
    """Words that a person may have meant by an unknown name, best first.

    What other libraries call a thing comes before what is merely spelt alike.
    """
    known = sorted({word for sort in sorts for word in words(sort)})
    plain = name.lower().replace("_", "")
    foreign = [w for w in _FOREIGN.get(plain, ()) if w in known]
    without_lines = {w.replace("_", ""): w for w in known}
    spelt = [without_lines[plain]] if plain in without_lines else []
    return list(dict.fromkeys([*spelt, *foreign, *nearest(name, known, limit)]))[:limit]


_FOREIGN: dict[str, tuple[str, ...]] = {
    "linear": ("dense", "identity"),
    "fc": ("dense",),
    "fullyconnected": ("dense",),
    "logsigmoid": ("log_sigmoid",),
    "logistic": ("sigmoid",),
    "quickgelu": ("swish",),
    "heaviside": ("step",),
    "lrelu": ("leaky_relu",),
    "negativeloglikelihood": ("cross_entropy",),
    "nll": ("cross_entropy",),
    "categoricalcrossentropy": ("cross_entropy",),
    "softmaxcrossentropy": ("cross_entropy",),
    "logloss": ("cross_entropy", "bce"),
    "binarycrossentropy": ("bce",),
    "l1": ("mae",),
    "l2": ("mse",),
    "meansquarederror": ("mse",),
    "meanabsoluteerror": ("mae",),
    "squarederror": ("mse", "half_squared_error"),
    "smoothl1": ("huber",),
    "gradientdescent": ("sgd",),
    "gd": ("sgd",),
    "nag": ("nesterov",),
    "constant": ("hold",),
    "decay": ("exponential", "inverse_time"),
    "stepdecay": ("exponential",),
    "cosineannealing": ("cosine",),
    "cosineannealingwarmrestarts": ("cosine_restarts",),
    "reduceonplateau": ("plateau",),
    "reducelronplateau": ("plateau",),
    "onecyclelr": ("one_cycle",),
    "cycliclr": ("triangular",),
    "steplr": ("staircase",),
    "piecewise": ("hold",),
    "truncnormal": ("truncated_normal",),
    "eye": ("identity",),
    "xavier": ("glorot_uniform", "glorot_normal"),
    "glorot": ("glorot_uniform", "glorot_normal"),
    "xavieruniform": ("glorot_uniform",),
    "xaviernormal": ("glorot_normal",),
    "he": ("he_normal", "he_uniform"),
    "kaiming": ("he_normal", "he_uniform"),
    "kaiminguniform": ("he_uniform",),
    "kaimingnormal": ("he_normal",),
    "lecun": ("lecun_normal", "lecun_uniform"),
    "gaussian": ("normal", "gaussian"),
    "r2score": ("r2",),
    "acc": ("accuracy",),
    "jaccard": ("iou",),
    "rocauc": ("auc",),
    "averageprecision": ("pr_auc",),
    "topkaccuracy": ("top_k",),
    "matthews": ("mcc",),
    "kldivergence": ("kl",),
    "multimargin": ("multi_hinge",),
    "standardise": ("standardize",),
    "standardscaler": ("standardize",),
    "standard": ("standardize",),
    "zscore": ("standardize",),
    "normalize": ("standardize", "minmax"),
    "minmaxscaler": ("minmax",),
    "impute": ("median", "mean"),
    "onehotencoder": ("onehot",),
    "gaussiannoise": ("add_noise",),
    "convolution": ("conv",),
    "conv1d": ("conv",),
    "conv2d": ("conv",),
    "depthwiseconv2d": ("depthwise",),
    "deconv": ("conv_transpose",),
    "deconvolution": ("conv_transpose",),
    "convtranspose2d": ("conv_transpose",),
    "conv2dtranspose": ("conv_transpose",),
    "maxpool1d": ("maxpool",),
    "maxpool2d": ("maxpool",),
    "maxpooling": ("maxpool",),
    "maxpooling2d": ("maxpool",),
    "avgpool2d": ("avgpool",),
    "averagepooling2d": ("avgpool",),
    "meanpool": ("avgpool",),
    "lppool2d": ("l2pool",),
    "globalaveragepooling2d": ("global_avg_pool",),
    "adaptiveavgpool2d": ("global_avg_pool",),
    "globalmaxpooling2d": ("global_max_pool",),
    "localresponsenorm": ("lrn",),
    "batchnorm1d": ("batch_norm",),
    "batchnorm2d": ("batch_norm",),
    "batchnormalization": ("batch_norm",),
    "dropout2d": ("channel_dropout",),
    "spatialdropout2d": ("channel_dropout",),
    "upsampling2d": ("upsample",),
    "zeropadding2d": ("pad",),
    "cropping2d": ("crop",),
    "flip": ("random_flip",),
    "horizontalflip": ("random_flip",),
    "noise": ("pixel_noise", "add_noise"),
    "bidirectional": ("both",),
    "simplernn": ("rnn",),
    "embedding": ("embed",),
    "multiheadattention": ("attention",),
    "selfattention": ("attention",),
    "positionalencoding": ("position",),
    "randomhorizontalflip": ("random_flip",),
    "rotation": ("rotate",),
    "randomrotation": ("rotate",),
    "randomaffine": ("affine",),
    "translate": ("shift",),
    "colorjitter": ("colour",),
    "color": ("colour",),
    "randomerasing": ("erase",),
    "cutout": ("erase",),
    "view": ("reshape", "flatten"),
    "cat": ("concat",),
    "concatenate": ("concat",),
}
"""What other libraries and lectures call a word, without `_` and in small letters."""


def registries() -> Mapping[str, Mapping[str, Word]]:
    """All registries by name."""
    return _words
