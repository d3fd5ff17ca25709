"""PyTorch: `python -m benchmarks.workers.torch_worker W2 1 eager|fused|compiled`."""

from __future__ import annotations

import sys

import torch
from torch import nn

from benchmarks.workers.protocol import serve
from benchmarks.workloads import WORKLOADS, Workload


def network(workload: Workload) -> nn.Sequential:
    """The perceptron with PyTorch's own initialisation."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(zip(workload.sizes, workload.sizes[1:], strict=False)):
        layers.append(nn.Linear(inputs, outputs))
        if i < len(workload.sizes) - 2:
            layers.append(nn.ELU() if workload.activation == "elu" else nn.ReLU())
    return nn.Sequential(*layers)


def main() -> None:
    """Serve rounds of training steps."""
    workload, threads, mode = WORKLOADS[sys.argv[1]], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    inputs, targets = (torch.from_numpy(a) for a in workload.data())
    net = network(workload)
    options = {"fused": True} if mode != "eager" else {}
    optimizer = (
        torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, **options)
        if workload.optimizer == "momentum"
        else torch.optim.Adam(net.parameters(), lr=1e-3, **options)
    )

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        z = net(x)
        if workload.classes == 1:
            return nn.functional.binary_cross_entropy_with_logits(z[:, 0], y.float())
        return nn.functional.cross_entropy(z, y)

    step_loss = torch.compile(loss_of) if mode == "compiled" else loss_of
    batch = workload.batch

    def run_round() -> int:
        done = 0
        while done < workload.steps:
            order = torch.randperm(len(inputs))
            x, y = inputs[order], targets[order]
            for start in range(0, len(x) // batch * batch, batch):
                if done == workload.steps:
                    break
                optimizer.zero_grad(set_to_none=True)
                step_loss(x[start : start + batch], y[start : start + batch]).backward()
                optimizer.step()
                done += 1
        return done

    serve(run_round)


if __name__ == "__main__":
    main()
