# SPDX-License-Identifier: Apache-2.0
"""The accuracy of one private training run by Opacus and by ours, the script being the same but for the import.

    PYTHONPATH=build/release/python python bench/parity.py --data DIR >bench/parity.json      # MNIST's four idx files; needs opacus 1.6

The convolutional network, the loss and the optimizer of Opacus' own MNIST example; sigma, C and the expected batch size are alike, batches
and noise are each one's own. Sums without noise are compared in tests/python/opacus_test.py.
"""

import argparse
import gzip
import json
import statistics
import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ghostgrad.opacus
from header import header

EXAMPLES, BATCH, EPOCHS, SIGMA, CLIP, RATE = 10_000, 250, 3, 1.0, 1.0, 0.25


class SampleNet(nn.Module):
    """The small convolutional network of the MNIST examples."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 16, 8, 2, padding=3), nn.Conv2d(16, 32, 4, 2)
        self.fc1, self.fc2 = nn.Linear(32 * 4 * 4, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2, 1)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2, 1)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def idx(folder, name):
    """The array of an idx file, plain or compressed."""
    plain = folder / name
    data = plain.read_bytes() if plain.is_file() else gzip.decompress((folder / (name + ".gz")).read_bytes())
    sizes = [int.from_bytes(data[4 + 4 * d : 8 + 4 * d], "big") for d in range(data[3])]
    return torch.frombuffer(bytearray(data[4 + 4 * len(sizes) :]), dtype=torch.uint8).view(sizes)


def images(folder, part, count):
    x = (idx(folder, f"{part}-images-idx3-ubyte")[:count].float() / 255 - 0.1307) / 0.3081
    return x.unsqueeze(1), idx(folder, f"{part}-labels-idx1-ubyte")[:count].long()


def accuracy(kind, seed, train, test):
    torch.manual_seed(seed)
    model = SampleNet()
    privacy = kind(accountant="rdp")
    model, optimizer, loader = privacy.make_private(
        module=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=RATE),
        data_loader=DataLoader(TensorDataset(*train), batch_size=BATCH),
        noise_multiplier=SIGMA,
        max_grad_norm=CLIP,
    )
    criterion = nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
    with torch.no_grad():
        right = (model(test[0]).argmax(1) == test[1]).double().mean().item()
    return right, privacy.get_epsilon(1e-5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    import opacus

    train, test = images(options.data, "train", EXAMPLES), images(options.data, "t10k", 10_000)
    rows = []
    for name, kind in (("ghostgrad.opacus", ghostgrad.opacus.PrivacyEngine), ("opacus", opacus.PrivacyEngine)):
        found = [accuracy(kind, seed, train, test) for seed in range(options.seeds)]
        rights = [right for right, _ in found]
        row = {"engine": name, "runs": len(found), "mean": statistics.mean(rights), "deviation": statistics.stdev(rights)}
        rows.append({**row, "epsilon": found[0][1], "accuracies": rights})
        print(rows[-1], file=sys.stderr)
    plan = {"examples": EXAMPLES, "batch": BATCH, "epochs": EPOCHS, "sigma": SIGMA, "clip": CLIP, "learning_rate": RATE}
    json.dump({**header("opacus"), "plan": plan, "rows": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
