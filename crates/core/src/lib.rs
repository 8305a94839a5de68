//! What the product can do: one door, one table of methods.
