"""The language server: the only package that knows the Language Server Protocol."""

__version__ = "0.1.0"
