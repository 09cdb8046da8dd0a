"""What the probe hooks into, one module for each family; each is loaded when the program loads what it watches."""
