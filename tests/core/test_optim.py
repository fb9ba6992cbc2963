"""Adam against torch.optim.Adam, clipping by hand."""

import pytest
import torch

from grasp_func.core.optim import adam, clip_by_norm
from helpers import assert_pure, assert_same

SLICES = (slice(0, 2), slice(2, 4))


def gradients(n_steps, size):
    """Gradients of very different magnitude, some of them zero."""
    rng = torch.Generator().manual_seed(0)
    scale = torch.logspace(-6, 3, size)
    scale[0] = 0.0
    return [torch.randn(size, generator=rng) * scale for _ in range(n_steps)]


@pytest.fixture(params=["fused", "plain"])
def kernel(request, monkeypatch):
    """Adam with and without PyTorch's fused kernel, a private function that may go away."""
    if request.param == "plain":
        monkeypatch.delattr(torch, "_fused_adam_")
    else:
        assert hasattr(torch, "_fused_adam_")


@pytest.mark.usefixtures("kernel")
def test_adam_follows_torch_optim_for_50_steps():
    start = torch.linspace(-1, 1, 20)
    reference = torch.nn.Parameter(start.clone())
    torch_adam = torch.optim.Adam([reference], lr=1e-2)
    params, optimizer = start, adam([(slice(20), 1e-2)])
    state = optimizer.init(params)
    for grad in gradients(50, 20):
        reference.grad = grad.clone()
        torch_adam.step()
        params, state = optimizer.update(grad, state, params)
        torch.testing.assert_close(params, reference.detach(), rtol=0, atol=1e-5)
    assert int(state.count) == 50
    # All parameters with a gradient have moved.
    assert (params - start)[1:].abs().min() > 1e-3


@pytest.mark.usefixtures("kernel")
def test_adam_takes_one_learning_rate_per_part():
    start = torch.linspace(-1, 1, 20)
    actor, critic = (torch.nn.Parameter(part.clone()) for part in start.split(10))
    groups = [{"params": [actor], "lr": 1e-2}, {"params": [critic], "lr": 1e-3}]
    torch_adam = torch.optim.Adam(groups)
    optimizer = adam([(slice(0, 10), 1e-2), (slice(10, 20), 1e-3)])
    params, state = start, optimizer.init(start)
    for grad in gradients(50, 20):
        actor.grad, critic.grad = (part.clone() for part in grad.split(10))
        torch_adam.step()
        params, state = optimizer.update(grad, state, params)
    expected = torch.cat([actor, critic]).detach()
    torch.testing.assert_close(params, expected, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("kernel")
def test_first_step_by_hand():
    optimizer = adam([(slice(0, 1), 0.1)])
    start = torch.tensor([1.0])
    params, state = optimizer.update(torch.tensor([2.0]), optimizer.init(start), start, 0.5)
    # mean = 0.1 * 2 = 0.2, variance = 0.001 * 4 = 0.004; corrected by 0.1 and 0.001: 2 and 4
    torch.testing.assert_close(state.mean, torch.tensor([0.2]))
    torch.testing.assert_close(state.variance, torch.tensor([0.004]))
    # step = -0.5 * 0.1 * 2 / sqrt(4)
    torch.testing.assert_close(params, torch.tensor([0.95]))


@pytest.mark.usefixtures("kernel")
def test_an_update_leaves_its_inputs_unchanged():
    optimizer = adam([(slice(0, 2), 0.1), (slice(2, 4), 0.2)])
    grad = torch.tensor([1.0, -2.0, 3.0, 0.0])
    params, state = optimizer.update(grad, optimizer.init(grad), grad)
    assert_pure(optimizer.update, grad, state, params, 0.5)


def test_adam_refuses_a_gradient_of_another_shape():
    optimizer = adam([(slice(0, 2), 0.1)])
    params = torch.zeros(2)
    with pytest.raises(AssertionError):
        optimizer.update(torch.ones(2, 1), optimizer.init(params), params)


def test_clip_by_norm_scales_each_part_separately():
    grad = torch.tensor([3.0, 4.0, 0.3, 0.4])
    # norms 5 and 0.5: the first is scaled by 1/5, the second stays unchanged
    clipped = clip_by_norm(grad, SLICES, 1.0)
    torch.testing.assert_close(clipped, torch.tensor([0.6, 0.8, 0.3, 0.4]))
    assert_same(clipped[2:], grad[2:])


def test_clip_by_norm_follows_torch_nn_utils():
    grad = torch.tensor([3.0, -4.0, 0.3, 0.4])
    params = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    for param, part in zip(params, grad.split(2), strict=True):
        param.grad = part.clone()
        torch.nn.utils.clip_grad_norm_([param], 2.0)
    expected = torch.cat([param.grad for param in params])
    torch.testing.assert_close(clip_by_norm(grad, SLICES, 2.0), expected, rtol=1e-5, atol=0)


def test_clip_by_norm_leaves_zeros_unchanged_and_none_is_no_bound():
    assert_same(clip_by_norm(torch.zeros(4), SLICES, 1.0), torch.zeros(4))
    grad = torch.tensor([1e6, 0.0, 0.0, 0.0])
    assert clip_by_norm(grad, SLICES, None) is grad
