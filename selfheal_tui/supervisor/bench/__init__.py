"""Measures repair: runs `selfheal run` on copies of faulty projects and scores what it left behind in other copies."""
