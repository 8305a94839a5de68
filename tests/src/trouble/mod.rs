//! Deliveries under trouble, against the real program: what `docs/trouble.md` promises. One kind of trouble a file.
mod random;
