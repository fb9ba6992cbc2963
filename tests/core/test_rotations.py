"""Embeddings and rotation matrices, against SciPy and NumPy and in degenerate cases."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from grasp_func.core.rotations import embedding_to_matrix, matrix_to_embedding
from helpers import assert_same

X, Y, ZERO = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]
DIAGONAL = [3.0**-0.5] * 3


def assert_rotations(matrices, atol=1e-6):
    eye = torch.eye(3).expand_as(matrices)
    torch.testing.assert_close(matrices @ matrices.transpose(-1, -2), eye, rtol=0, atol=atol)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(len(matrices)))


def test_embedding_of_a_rotation_gives_it_back():
    matrices = torch.from_numpy(Rotation.random(100, rng=0).as_matrix())
    found = embedding_to_matrix(matrix_to_embedding(matrices))
    torch.testing.assert_close(found, matrices, rtol=0, atol=1e-12)


def test_embedding_is_the_first_two_columns():
    matrix = torch.arange(9.0).reshape(3, 3)
    assert_same(matrix_to_embedding(matrix), torch.tensor([0.0, 3.0, 6.0, 1.0, 4.0, 7.0]))


def test_gram_schmidt_agrees_with_the_qr_decomposition():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(100, 2, 3))
    found = embedding_to_matrix(torch.from_numpy(columns.reshape(100, 6))).numpy()
    for pair, matrix in zip(columns, found, strict=True):
        q, r = np.linalg.qr(pair.T)
        # Columns point along the given ones, not against them.
        expected = q * np.sign(np.diag(r))
        np.testing.assert_allclose(matrix[:, :2], expected, atol=1e-12)
        np.testing.assert_allclose(matrix[:, 2], np.cross(*expected.T), atol=1e-12)


@pytest.mark.parametrize(
    "embedding",
    [[*ZERO, *ZERO], [*ZERO, *X], [*ZERO, *Y], [*X, *ZERO], [*X, *X], [*DIAGONAL, *DIAGONAL],
     [*X, -1.0, 0.0, 0.0], [1e-8, 0.0, 0.0, 0.0, 1e-8, 0.0], [*Y, 0.0, 2.0, 1e-9]],
)  # fmt: skip
def test_degenerate_embeddings_give_rotations_and_finite_gradients(embedding):
    batch = torch.tensor([embedding], requires_grad=True)
    matrices = embedding_to_matrix(batch)
    assert_rotations(matrices.detach())
    matrices.square().mul(torch.arange(9.0).reshape(3, 3)).sum().backward()
    assert torch.isfinite(batch.grad).all()


def test_zero_embedding_is_the_same_rotation_alone_and_in_any_batch():
    alone = embedding_to_matrix(torch.zeros(6))
    batch = embedding_to_matrix(torch.stack([torch.zeros(6), torch.ones(6), torch.arange(6.0)]))
    assert_same(batch[0], alone)
    assert_same(alone[:, 0], torch.tensor(X))


def test_any_leading_axes():
    embeddings = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 5, 6)))
    found = embedding_to_matrix(embeddings)
    assert found.shape == (4, 5, 3, 3)
    assert_same(found[1, 2], embedding_to_matrix(embeddings[1, 2]))


def test_gradient_agrees_with_finite_differences():
    rng = torch.Generator().manual_seed(0)
    embeddings = torch.randn(5, 6, generator=rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(embedding_to_matrix, (embeddings,))
