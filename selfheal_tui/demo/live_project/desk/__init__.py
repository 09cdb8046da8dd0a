"""An agent that keeps running."""
