"""The engine over HTTP: what the server of `python -m engine` answers."""
