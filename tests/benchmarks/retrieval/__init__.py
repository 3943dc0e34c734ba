"""How well what was said is found again, measured on lives that were written for it."""
