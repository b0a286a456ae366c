"""What may be wrong around a study, each looked at by a probe: machine, caches, remotes, endpoints, git and DVC."""
