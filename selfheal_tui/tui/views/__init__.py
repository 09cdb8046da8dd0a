"""The five views of the console, one a file."""
