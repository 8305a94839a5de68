//! Who is asked before, who is told after; knows no billing.
