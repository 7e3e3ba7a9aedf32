"""What of the workspace goes into a prompt beside the caret's own file."""
