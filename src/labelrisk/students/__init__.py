"""Students: encoders, their fine-tuning on a label source, and their predictions."""
