"""A torch model that `scc check` takes: charge equilibration with learnable electronegativities.

    scc check examples/torch_model.py:TorchCharges --structures examples/water.xyz

E(q) = Σ χ_ℓ(r) q_ℓ + ½ Σ A_ℓk q_ℓ q_k, Σ q = 0, with χ_ℓ of a small network that sees the
neighbours within 4 Å, and A the Coulomb interaction of Gaussian charges: CENT (1.3). Weights are
random, the model is made up: what is shown is how to bring one's own. `pip install torch`.
"""

import numpy as np
import torch
from ase.calculators.calculator import Calculator, all_changes

CUTOFF, WIDTH, COULOMB, HARDNESS = 4.0, 0.6, 14.399645, 8.0  # Å, Å, eV Å, eV


class TorchCharges(Calculator):
    """Energy, forces and charges by autograd, float64."""

    implemented_properties = ["energy", "forces", "charges"]  # noqa: RUF012

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        layers = (torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        self.network = torch.nn.Sequential(*layers).double()

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        positions = torch.tensor(self.atoms.positions, requires_grad=True)
        numbers = torch.tensor(self.atoms.numbers, dtype=torch.float64)
        same = torch.eye(len(numbers), dtype=torch.bool)
        pairs = positions[:, None] - positions[None, :]
        distances = torch.where(same, 1.0, (pairs**2).sum(-1)).sqrt()
        switch = torch.where(distances < CUTOFF, (1 - (distances / CUTOFF) ** 2) ** 3, 0.0)
        centres = torch.linspace(0.5, CUTOFF, 7, dtype=torch.float64)
        shells = torch.exp(-4.0 * (distances[..., None] - centres) ** 2)
        weights = torch.where(same, 0.0, switch * numbers.sqrt())
        surroundings = (weights[..., None] * shells).sum(1)
        chi = 3.0 * self.network(torch.cat([surroundings, numbers[:, None] / 10], 1))[:, 0]
        coulomb = COULOMB * torch.where(
            same,
            HARDNESS / COULOMB + 1.0 / (WIDTH * np.sqrt(np.pi)),
            torch.special.erf(distances / (2.0 * WIDTH)) / distances,
        )
        ones = torch.ones(len(numbers), 1, dtype=torch.float64)
        saddle = torch.cat([torch.cat([coulomb, ones], 1), torch.cat([ones, ones[:1] * 0]).T])
        charges = torch.linalg.solve(saddle, torch.cat([-chi, torch.zeros(1).double()]))[:-1]
        energy = chi @ charges + 0.5 * charges @ coulomb @ charges
        (gradient,) = torch.autograd.grad(energy, positions)
        self.results = {"energy": energy.item(), "forces": -gradient.numpy()}
        self.results["charges"] = charges.detach().numpy()
