"""The one comment below a pull request of GitHub or a merge request of GitLab: made once, then edited in place."""
