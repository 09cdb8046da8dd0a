"""Floor 2: isolated copies of the project, and programs run inside their walls; never the live tree."""
