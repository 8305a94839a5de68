//! Before handlers: asked while the action is undecided (`provisioning.md`, section 4).
mod backtest;
mod bounds;
mod budget;
mod causes;
mod compound;
mod decisions;
mod failures;
mod meanwhile;
mod modify;
mod order;
mod outcomes;
mod second_asking;
mod shadow;
