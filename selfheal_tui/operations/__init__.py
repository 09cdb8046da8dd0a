"""What an operator sees and decides, without drawing: shared by the command line and the console."""
