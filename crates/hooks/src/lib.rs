//! Who is asked before, who is told after; knows no billing.
pub mod call;
pub mod cause;
pub mod mask;
