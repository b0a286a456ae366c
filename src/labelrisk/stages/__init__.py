"""The stages of dvc.yaml: each reads its inputs, calls the rooms that do the work, and writes its outputs."""
