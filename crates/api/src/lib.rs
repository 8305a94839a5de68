//! The Core API over HTTP: JSON-RPC, keys, limits.
