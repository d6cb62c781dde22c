"""Runs that the model of a cluster was fitted to, and what the fit gave.

mlperf_dlrm.csv     median throughputs of 29 runs, read from the public result logs of MLPerf Training v2.1 to v4.1
                    (MLCommons, repositories training_results_v2.1 to training_results_v4.1); the workloads are in
                    `automl.bench.simulator.workloads`
coefficients.json   made from them by `automl bench simulator --coefficients PATH`
"""
