"""What watches over the rest."""
