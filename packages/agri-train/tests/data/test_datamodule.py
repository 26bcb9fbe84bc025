import numpy as np
import pytest
import torch
from agri_core.bands import TRUE_COLOUR
from agri_core.files.errors import InputError, MissingError
from agri_data.store.store import ChipStore
from agri_map.bundle.preprocess import normalise
from agri_train.bundle.record import make_spec
from agri_train.config import TrainConfig
from agri_train.data.class_weights import class_weights
from agri_train.data.datamodule import ChipDataModule
from agri_train.data.sampler import EpochBatchSampler

BANDS = ("B02", "B03", "B04", "B08")


def module(store, task="segment", bands=BANDS, **kwargs):
    config = TrainConfig(**{"batch_size": 5, "augment": False, **kwargs})
    return ChipDataModule(store, make_spec(store, bands, task, "m", "tiny"), config, task)


def test_a_batch_is_normalised_by_the_one_function_bit_for_bit(make_store):
    store = make_store()
    data = module(store)
    images, truth = next(iter(data.val_dataloader()))
    rows = store.indices("val")[:5]
    assert np.array_equal(images.numpy(), normalise(store.images(rows), data.spec))
    assert np.array_equal(truth.numpy(), store.masks(rows))
    assert (images.dtype, truth.dtype) == (torch.float32, torch.int64)


def test_bands_go_by_name(make_store):
    store = make_store()
    images, _ = next(iter(module(store, bands=("B08", "B02")).val_dataloader()))
    every, _ = next(iter(module(store).val_dataloader()))
    assert torch.equal(images, every[:, [3, 0]])
    with pytest.raises(MissingError, match="B12"):
        module(store, bands=("B02", "B12"))


def test_nothing_is_dropped_and_no_batch_is_of_one():
    config = TrainConfig(batch_size=8)
    sizes = [len(batch.rows) for batch in EpochBatchSampler(np.arange(9), config, train=True)]
    assert sizes == [5, 4]
    sizes = [len(batch.rows) for batch in EpochBatchSampler(np.arange(9), config, train=False)]
    assert sizes == [8, 1]


def test_order_follows_seed_and_epoch_only():
    def rows(seed: int, epoch: int) -> list[int]:
        order = EpochBatchSampler(np.arange(20), TrainConfig(seed=seed, batch_size=6), train=True)
        order.set_epoch(epoch)
        return np.concatenate([batch.rows for batch in order]).tolist()

    assert rows(1, 0) == rows(1, 0)
    assert rows(1, 0) != rows(1, 1)
    assert rows(1, 0) != rows(2, 0)
    assert sorted(rows(1, 3)) == list(range(20))


def test_repeats_show_each_chip_that_often():
    order = EpochBatchSampler(np.arange(3), TrainConfig(batch_size=2, repeats=4), train=True)
    batches = list(order)
    assert len(batches) == len(order) == 6
    pairs = {(r, c) for b in batches for r, c in zip(b.rows, b.repeats, strict=True)}
    assert pairs == {(r, c) for r in range(3) for c in range(4)}


def test_variation_keeps_image_and_mask_together(make_store):
    # Each chip's class raises one band, so the brightest of the first three bands is the truth.
    store = make_store(classes=3)
    data = module(store, augment=True)
    moved = False
    for images, truth in data.train_dataloader():
        raw = images.numpy() * np.array(data.spec.std)[:, None, None]
        raw += np.array(data.spec.mean)[:, None, None]
        assert (raw[:, :3].argmax(1) == truth.numpy()).mean() > 0.99
        moved |= bool((truth[:, :, :1] != truth).any())
    assert moved  # rows have become columns somewhere


def test_variation_is_the_same_in_any_worker(make_store):
    store = make_store()
    plain = list(module(store, augment=True).train_dataloader())
    workers = list(module(store, augment=True, workers=2).train_dataloader())
    for (a, b), (c, d) in zip(plain, workers, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


def test_patches_are_saved_again_where_asked_and_only_in_training(make_store):
    store = make_store(patches=True, photos=True)
    given = {"task": "classify", "bands": TRUE_COLOUR, "augment": True}
    plain, saved = module(store, **given), module(store, **given, jpeg=1.0)
    for (a, b), (c, d) in zip(plain.train_dataloader(), saved.train_dataloader(), strict=True):
        # The same patches, turned alike, and each as another file would show it.
        assert torch.equal(b, d)
        assert (a != c).flatten(1).any(1).all()
        # 40 levels wide, evenly: 8 levels is far less than what other patches differ by.
        step = (a - c).abs() * torch.tensor(plain.spec.std)[:, None, None]
        assert step.mean() < 8
    for (a, _), (c, _) in zip(plain.val_dataloader(), saved.val_dataloader(), strict=True):
        assert torch.equal(a, c)


def test_chips_are_resampled_where_asked_and_masks_are_not(make_store):
    store = make_store()
    plain, coarse = module(store, augment=True), module(store, augment=True, downscale=1.0)
    changed = []
    for (a, b), (c, d) in zip(plain.train_dataloader(), coarse.train_dataloader(), strict=True):
        assert torch.equal(b, d)
        changed += (a != c).flatten(1).any(1).tolist()
    # A share above 31/32 leaves all 16 pixels: one draw in 16.
    assert sum(changed) >= 9
    assert len(changed) == 12


def test_only_red_green_and_blue_can_be_saved_again(make_store):
    with pytest.raises(InputError, match=r"`jpeg` is for B04, B03, B02 in uint8; set it to 0"):
        module(make_store(), jpeg=0.5)


def test_pixels_without_data_are_neutral_and_ignored(make_store):
    def edit(number, image, mask):
        image[:4] = 0

    store = make_store(nodata=0.0, edit=edit)
    for given in ({}, {"augment": True}, {"augment": True, "augment_strength": 1.0}):
        images, truth = next(iter(module(store, **given).train_dataloader()))
        empty = (images == 0).all(1)
        assert int(empty.sum()) == len(truth) * 4 * 16 or "augment_strength" in given
        assert empty.sum() >= len(truth) * 16
        assert (truth[empty] == 255).all()


def test_patches_have_one_class_each(make_store):
    store = make_store(patches=True)
    images, truth = next(iter(module(store, task="classify").val_dataloader()))
    assert images.shape == (5, 4, 16, 16)
    assert truth.tolist() == store.labels(store.indices("val")).tolist()


def test_what_is_missing_says_what_to_run(make_store):
    with pytest.raises(MissingError, match=r"no statistics of band B02.*agri-data split"):
        module(make_store("a", stats=False))
    with pytest.raises(MissingError, match=r"is in the val split.*agri-data split"):
        module(make_store("b", parts=(3, 0, 0))).val_dataloader()
    with pytest.raises(InputError, match="have no masks"):
        module(make_store("c", patches=True))


def test_a_class_outside_the_legend_names_the_chip(make_store, monkeypatch):
    store, masks = make_store(), ChipStore.masks

    def other_legend(self, indices):
        found = masks(self, indices)
        found[np.asarray(indices) == 13, 0, 0] = 7
        return found

    monkeypatch.setattr(ChipStore, "masks", other_legend)
    with pytest.raises(InputError, match=r"chip c13 .* holds class 7; the legend has 0..2"):
        list(module(store).val_dataloader())


def test_a_constant_band_is_neutral(make_store, capsys):
    def edit(number, image, mask):
        image[..., 3] = 77

    images, _ = next(iter(module(make_store(edit=edit)).val_dataloader()))
    assert (images[:, 3] == 0).all()
    assert "band B08 has the same value (77)" in capsys.readouterr().err


def test_the_set_is_never_read_whole(make_store, monkeypatch):
    store = make_store(parts=(40, 5, 0))
    read, whole = [], ChipStore.images

    def watch(self, indices, bands=None):
        read.append(len(indices))
        return whole(self, indices, bands)

    monkeypatch.setattr(ChipStore, "images", watch)
    for _ in module(store).train_dataloader():
        pass
    assert read == [5] * 8
    assert not store.image(0).flags.owndata


def test_inverse_weights_by_hand(make_store):
    # Two chips of 256 pixels: 3/4 other, 1/4 arable; 512 / (2 * 384) = 2/3, 512 / (2 * 128) = 2.
    def edit(number, image, mask):
        mask[:12], mask[12:] = 0, 1

    store = make_store(classes=2, parts=(2, 1, 0), edit=edit)
    config = TrainConfig(class_weights="inverse")
    weights = class_weights(config, store, store.indices("train"), "segment")
    assert weights == pytest.approx((2 / 3, 2.0))
    assert class_weights(TrainConfig(), store, store.indices("train"), "segment") is None
    given = class_weights(
        TrainConfig(class_weights="1,3"), store, store.indices("train"), "segment"
    )
    assert given == (1.0, 3.0)
