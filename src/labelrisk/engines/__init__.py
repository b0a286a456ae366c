"""Where many tasks of one kind are computed: processes of this machine, or a cluster."""
