//! Deliveries under trouble, against the real program: what `docs/trouble.md` promises. One kind of trouble a file.
mod clock;
mod connections;
mod database;
mod descriptors;
mod disk;
mod names;
mod random;
mod slow;
