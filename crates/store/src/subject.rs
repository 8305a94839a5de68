//! What several transactions at once must not decide about.
//!
//! SQLite has one writer, which decides one thing after another. Several writers keep to the same rule where it counts: whoever
//! reads something in order to write by it has the subject first.

/// A subject, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Which nodes there are and what each owns.
    Membership,
    /// A life of a node. Who writes as this node has it shared; who ends it has it alone, so that nothing is written as a node that
    /// has ended.
    Node(i64),
    /// What steers all actions: handlers, resellers, users, packages, custom fields, currencies. An action of a client has it shared; who
    /// changes it has it alone, so that no commit slips between.
    Configuration,
    /// A request with an idempotency key: a number made of who asks, the method and the key.
    Request(i64),
    /// A resync, by its id.
    Resync(i64),
    /// A client: its balance, what belongs to it, the numbers of its events.
    Client(i64),
    /// Which account has which addresses: subnets never overlap, which no index can see to.
    Addresses,
}
