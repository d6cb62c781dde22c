"""Trains one epoch with torch-rechub, in the environment that has it: `python _peer_side.py ROWS.npz MODEL`.

Nothing of this project is imported here. Its own data loader, trainer and models are used as its documentation shows,
at the sizes of our human-made models.
"""

import json
import sys
import tempfile
import time
import warnings

import numpy as np
import torch

BATCH, DIM, LAYERS, WIDTHS = 512, 16, 2, [256, 128]


def main(path: str, name: str) -> None:
    """Prints the seconds of one epoch."""
    # here, for whoever imports this module without that library
    from torch_rechub.basic.features import DenseFeature, SparseFeature
    from torch_rechub.models.ranking import DCNv2, DeepFM
    from torch_rechub.trainers import CTRTrainer
    from torch_rechub.utils.data import DataGenerator

    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with np.load(path) as found:
        numeric, categorical, label, sizes = (found[one] for one in ("numeric", "categorical", "label", "sizes"))
    dense = [DenseFeature(f"n{at}") for at in range(numeric.shape[1])]
    sparse = [SparseFeature(f"c{at}", vocab_size=int(size), embed_dim=DIM) for at, size in enumerate(sizes)]
    rows = {f"n{at}": numeric[:, at] for at in range(numeric.shape[1])}
    rows |= {f"c{at}": categorical[:, at] for at in range(categorical.shape[1])}
    layers = {"dims": WIDTHS, "activation": "relu", "dropout": 0.0}
    if name == "dcnv2":
        model = DCNv2(dense + sparse, LAYERS, layers, use_low_rank_mixture=False)
    else:
        model = DeepFM(deep_features=dense + sparse, fm_features=sparse, mlp_params=layers)
    few = {key: values[:BATCH] for key, values in rows.items()}
    loader, _, _ = DataGenerator(rows, label).generate_dataloader(few, label[:BATCH], few, label[:BATCH], None, BATCH)
    with tempfile.TemporaryDirectory() as folder:
        trainer = CTRTrainer(model, optimizer_params={"lr": 1e-3}, n_epoch=1, model_path=folder)
        wall, processor = time.perf_counter(), time.process_time()
        trainer.train_one_epoch(loader)
        spent = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
    sys.stdout.write(json.dumps(spent) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
