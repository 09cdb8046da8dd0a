"""Floor 5, plain face: one module per group of commands. They ask the core and show; they decide nothing."""
