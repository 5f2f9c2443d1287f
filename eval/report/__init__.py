"""What the rows of a run come to, for a log, a pull request, a CI system and a browser."""
