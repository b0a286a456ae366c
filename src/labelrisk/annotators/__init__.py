"""Who labels: each kind of annotator is one file or folder, with its section of params.yaml and `write_labels`."""
