"""PyTorch: `python -m benchmarks.workers.torch_worker W2 1 eager|fused|compiled|last`.

`last` keeps the channels of images last in memory, with the fused optimizer.
"""

from __future__ import annotations

import sys

import torch
from torch.nn import functional

from benchmarks.workers.protocol import serve
from benchmarks.workers.torch_networks import network
from benchmarks.workloads import STEPS, Images


def main() -> None:
    """Serve rounds of training steps."""
    workload, threads, mode = STEPS[sys.argv[1]], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    inputs, targets = (torch.from_numpy(a) for a in workload.data())
    net = network(workload)
    if mode == "last":
        net = net.to(memory_format=torch.channels_last)
    options = {"fused": True} if mode != "eager" else {}
    momentum = workload.momentum if isinstance(workload, Images) else 0.9
    is_adam = not isinstance(workload, Images) and workload.optimizer == "adam"
    optimizer = (
        torch.optim.Adam(net.parameters(), lr=1e-3, **options)
        if is_adam
        else torch.optim.SGD(net.parameters(), lr=0.01, momentum=momentum, **options)
    )

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        z = net(x)
        if workload.classes == 1:
            return functional.binary_cross_entropy_with_logits(z[:, 0], y.float())
        return functional.cross_entropy(z, y.flatten())

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
