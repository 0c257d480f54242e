"""Choose line-ups: the problem as arrays, exact enumeration, the integer programme."""
