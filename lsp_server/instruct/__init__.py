"""Explain, debug, fix, test, document, ask: from a request to a prompt, an answer and an edit.

Knows no protocol: the language server and the command line use it alike. `assistant` is the way.
"""
