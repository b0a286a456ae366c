"""What others get with `dvc push` and `git push`, what of it holds texts, and whether the remote has it."""
