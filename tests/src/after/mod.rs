//! After handlers: told once it is committed (`provisioning.md`, sections 2, 3 and 5).
mod dead;
mod fairness;
mod handlers;
mod headers;
mod latest;
mod order;
mod payload;
mod resend;
mod saving;
mod signature;
mod standing;
mod standstill;
