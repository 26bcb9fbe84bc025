"""What needs a GPU is collected where there is one, so that no test is ever skipped elsewhere."""

import torch

collect_ignore = [] if torch.cuda.is_available() else ["test_cuda_graph_on_gpu.py"]
