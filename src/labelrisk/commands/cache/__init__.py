"""What looks after the call cache: shown, carried to another machine and back, checked, and pruned by rule."""

HELP = "look into, export, import, verify or prune the call cache"
