//! Where rows live: the only crate that speaks SQL to an engine.
