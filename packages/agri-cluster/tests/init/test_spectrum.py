import numpy as np
import pytest
from agri_cluster.init import methods
from agri_cluster.init.methods import leading_vectors, neighbour_graph, spectral
from scipy.sparse import diags


def walk_of(z):
    graph = neighbour_graph(z)
    root = 1.0 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    return (diags(root) @ graph @ diags(root)).tocsr()


@pytest.fixture
def islands():
    """2,500 rows in 5 equal islands far from each other: every eigenvalue occurs five times."""
    island = np.random.default_rng(0).random((500, 2)).astype(np.float32)
    # Steps of 8 and of powers of two keep float32 sums, and so the neighbours, exact.
    shifts = 8.0 * np.arange(5, dtype=np.float32)
    island = np.round(island * 2**12) / 2**12
    return np.concatenate([island + np.array((shift, 0)) for shift in shifts]).astype(np.float32)


def test_repeated_eigenvalues_are_found_as_in_the_dense_decomposition(islands):
    walk = walk_of(islands)
    found = leading_vectors(walk, 10, np.random.default_rng(0))
    values = np.linalg.eigvalsh(walk.toarray())[::-1][:11]
    # Ten eigenvalues are two of each island: 1 five times, then the second five times.
    np.testing.assert_allclose(values[:5], 1.0, atol=1e-9)
    assert values[4] - values[5] > 1e-4 and values[9] - values[10] > 1e-4
    np.testing.assert_allclose(found.T @ found, np.eye(10), atol=1e-8)
    np.testing.assert_allclose(walk @ found, found * values[:10], atol=1e-8)


def test_five_islands_are_five_clusters(islands):
    labels = spectral(islands, 5, np.random.default_rng(0))
    assert [len(set(labels[start : start + 500])) for start in range(0, 2500, 500)] == [1] * 5
    assert len(set(labels)) == 5


def test_an_iterative_decomposition_of_one_part_is_the_dense_one(monkeypatch):
    z = np.random.default_rng(1).random((300, 2)).astype(np.float32)
    walk = walk_of(z)
    whole = leading_vectors(walk, 6, np.random.default_rng(0))
    monkeypatch.setattr(methods, "WHOLE_SPECTRUM", 10)
    part = leading_vectors(walk, 6, np.random.default_rng(0))
    np.testing.assert_allclose(part @ part.T, whole @ whole.T, atol=1e-6)


def test_more_parts_than_vectors_keep_the_largest_parts():
    sizes = (2, 5, 3, 4)
    blocks = np.zeros((14, 14))
    ends = np.cumsum(sizes)
    for end, size in zip(ends, sizes, strict=True):
        blocks[end - size : end, end - size : end] = 1 / size
    from scipy.sparse import csr_matrix

    found = leading_vectors(csr_matrix(blocks), 2, np.random.default_rng(0))
    assert sorted(np.flatnonzero(np.abs(found).sum(axis=1))) == [2, 3, 4, 5, 6, 10, 11, 12, 13]
