"""A tour for a first visitor: seven samples completed through the real server."""
