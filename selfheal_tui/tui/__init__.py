"""The operator's console: Textual on top of `operations`. No widget reads the disk or decides anything."""
