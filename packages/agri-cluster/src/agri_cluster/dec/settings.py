"""Settings of a fit: the arguments of the estimator and the flags of `agri-cluster fit`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from agri_core.files.errors import InputError, SettingError
from agri_core.files.hints import hint

from agri_cluster.choices import MAX_SEED, Init, Objective, Precision, Pretrain, Target

if TYPE_CHECKING:
    from agri_data.augment.augment import Augment

    from agri_cluster.dec.guard import Guard
    from agri_cluster.pretrain.contrast import ContrastConfig

DEC_OBJECTIVES = ("dec", "idec")
AUTO = "auto"
BOUNDS: dict[str, tuple[float, float]] = {
    "embedding_dim": (1, 4096),
    "epochs": (0, 1_000_000),
    "noise": (0, 0.99),
    "size": (0, 4096),
    "n_components": (1, 4096),
    "views": (1, 8),
    "gamma": (0, 1e6),
    "n_init": (1, 10_000),
    "max_iter": (0, 1_000_000_000),
    "learning_rate": (1e-12, 100),
    "batch_size": (1, 65_536),
    "tol": (0, 1),
    "patience": (1, 1_000_000),
    "budget": (0, 1e9),
    "balance": (0, 1e6),
}
"""The least and the largest value of settings; the largest are far above any use, and keep a
mistyped number from asking for more memory than there is."""

MOST_CLUSTERS = 65_535
"""Labels of snapshots are written as uint16."""

WIDEST = 16_384
"""Largest width of a layer, or number of filters."""

DEEPEST = 32
"""Most layers."""


# Not frozen and without checks at construction: scikit-learn changes and clones estimators, which
# are these records, field by field. `check` is called by `fit`.
@dataclass(eq=False)
class FitSettings:
    """Settings that a command line can give.

    Attributes:
        n_clusters: Number of clusters K.
        encoder: statistics (of the bands), convae, mlp, small, squeezenet, resnet50 or vgg16;
            auto is convae for tiles and mlp for rows of features.
        weights: Weights of the encoder: none, imagenet (downloads), or a file.
        embedding_dim: Width D of the embedding.
        hidden: Layer widths of the mlp, such as 500,500,2000.
        filters: Filters of the decoder's stages, coarsest first, such as 512,256,128,64.
        pretrain: autoencoder, contrastive (SimCLR, tiles only), or none.
        epochs: Epochs of pretraining (deepcluster: epochs of training).
        noise: Share of input values set to 0 in the autoencoder (denoising).
        size: Side of the views of contrastive pretraining in pixels; smaller is faster, 0 keeps the
            tile's.
        finetune: Refine the weights of a pretrained encoder too, instead of freezing it.
        n_components: Principal components kept of a frozen encoder's features.
        views: Rotations and reflections that frozen features are averaged over, 1 to 8.
        objective: dec, idec (keeps the decoder), or deepcluster.
        gamma: Weight of the KL term in idec.
        alpha: Degrees of freedom of the Student-t kernel, or auto. auto also scales the embedding;
            1 is the value of the papers, made for D = 10.
        init: Initial clusters: kmeans, ward, spectral, or umap (needs the extra of that name).
        n_init: k-means initialisations.
        target: Cluster frequencies that sharpen the target: full (all tiles), ema, or batch.
        max_iter: Maximum number of refinement steps.
        update_interval: Steps between target updates; auto is one epoch, from 20 to 200 steps.
        learning_rate: Learning rate of the refinement (SGD with momentum 0.9).
        batch_size: Tiles per step.
        tol: Share of labels changed below which the refinement counts as converged.
        patience: Consecutive target updates below tol that end the refinement.
        budget: Maximum seconds of refinement; 0 is no limit.
        balance: Weight of a penalty on uneven cluster sizes; 0 disables the penalty.
        augment: Train on augmented views too; targets come from the unchanged tiles.
        precision: float32, or mixed_bfloat16 where the processor supports it.
    """

    n_clusters: int = 10
    # `str | ...` makes a text flag: the estimator also takes the object itself.
    encoder: str | Any = AUTO
    weights: str = "none"
    embedding_dim: int = 100
    hidden: str | Sequence[int] = "500,500,2000"
    filters: str | Sequence[int] = "128,64,32,16"
    pretrain: Pretrain = "autoencoder"
    epochs: int = 50
    noise: float = 0.0
    size: int = 0
    finetune: bool = False
    n_components: int = 50
    views: int = 1
    objective: Objective = "dec"
    gamma: float = 0.1
    alpha: str | float = AUTO
    init: Init | Any = "kmeans"
    n_init: int = 20
    target: Target = "full"
    max_iter: int = 2000
    update_interval: str | int = AUTO
    learning_rate: float = 0.01
    batch_size: int = 256
    tol: float = 0.001
    patience: int = 2
    budget: float = 0.0
    balance: float = 0.0
    augment: bool = False
    precision: Precision = "float32"

    def check(self) -> None:
        """Check every setting that no later step checks.

        Raises:
            InputError: a setting has a value that it cannot have.
        """
        _check_choice("objective", self.objective, get_args(Objective))
        _check_choice("pretrain", self.pretrain, get_args(Pretrain))
        whole_numbers(self.hidden, "hidden")
        whole_numbers(self.filters, "filters")
        number_or_auto(self.alpha, "alpha")
        number_or_auto(self.update_interval, "update_interval")
        _check_choice("target", self.target, get_args(Target))
        _check_choice("precision", self.precision, get_args(Precision))
        if self.n_clusters > MOST_CLUSTERS:
            raise SettingError("n_clusters", f"is at most {MOST_CLUSTERS}, got {self.n_clusters}")
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            # Not `<`, as a number that is NaN is neither.
            if not least <= value < math.inf:
                raise SettingError(name, f"is {least:g} or more, got {value}")
            if value > most:
                raise SettingError(name, f"is at most {most:g}, got {value}")
        _check_kernel(number_or_auto(self.alpha, "alpha"))
        interval = number_or_auto(self.update_interval, "update_interval")
        if interval is not None and not (1 <= interval < math.inf and interval.is_integer()):
            raise SettingError(
                "update_interval", f"is a whole number of 1 or more, or 'auto', got {interval:g}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return these settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(FitSettings)}


@dataclass(eq=False)
class EstimatorSettings(FitSettings):
    """Settings of the estimator: those above, and what only Python can give.

    Attributes:
        contrast: Contrastive pretraining in detail; None takes `epochs`, `size` and `precision`.
        augmentation: The views that `augment` draws; None for the defaults of agri-data.
        guard: Limits against dead and dominant clusters; None for the defaults.
        deterministic: Only operations that repeat to the bit.
        folder: Where features, embedding and checkpoints are kept; None for a temporary folder.
        random_state: Seed of every random number.
    """

    contrast: ContrastConfig | None = None
    augmentation: Augment | None = None
    guard: Guard | None = None
    deterministic: bool = False
    folder: Path | str | None = None
    random_state: int = 0

    def check_count(self, items: int) -> None:
        """Check the settings for a set of so many items.

        Raises:
            InputError: a setting is wrong, or there are fewer items than clusters.
        """
        self.check()
        _check_choice("objective", self.objective, DEC_OBJECTIVES)
        if not 0 <= self.random_state <= MAX_SEED:
            raise SettingError("random_state", f"is 0 to {MAX_SEED}, got {self.random_state}")
        if self.n_clusters < 1:
            raise SettingError("n_clusters", f"is 1 or more, got {self.n_clusters}")
        if items < self.n_clusters:
            raise InputError(
                f"{items} items cannot make {self.n_clusters} clusters; ask for fewer, or give more"
            )


def whole_numbers(value: str | Sequence[int], name: str) -> tuple[int, ...]:
    """Read widths such as "500,500,2000", or a sequence of them.

    Raises:
        InputError: a part is no whole number above 0.
    """
    given = value.split(",") if isinstance(value, str) else [str(part) for part in value]
    parts = [part.strip() for part in given if part.strip()]
    # A length first: Python refuses to read numbers of thousands of digits.
    if not all(part.isdecimal() and len(part) < 10 and int(part) > 0 for part in parts):
        raise SettingError(name, f"is widths such as 500,500,2000, got {value!r:.200}")
    if len(parts) > DEEPEST or max(map(int, parts), default=0) > WIDEST:
        raise SettingError(
            name, f"is at most {DEEPEST} widths of at most {WIDEST}, got {value!r:.200}"
        )
    return tuple(int(part) for part in parts)


def number_or_auto(value: str | float, name: str) -> float | None:
    """Read a number, or None for "auto".

    Raises:
        InputError: it is neither.
    """
    if value == AUTO:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise SettingError(name, f"is a number or 'auto', got {value!r}") from error


def _check_kernel(alpha: float | None) -> None:
    if alpha is not None and not 0 < alpha < math.inf:
        raise SettingError("alpha", f"is a number above 0, or 'auto', got {alpha:g}")


def _check_choice(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        near = hint(value, known) if isinstance(value, str) else ""
        raise SettingError(name, f"is one of {', '.join(known)}, got {value!r}{near}")
